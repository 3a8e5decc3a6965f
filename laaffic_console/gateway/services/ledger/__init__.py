"""Requests that act: recorded before they leave, settled by answers and by evidence."""

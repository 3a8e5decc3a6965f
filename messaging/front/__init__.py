"""Messaging's part of the front page."""

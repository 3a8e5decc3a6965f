"""Telling who did what; the audit app keeps it."""

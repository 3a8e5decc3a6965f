"""Laaffic's lists, read to their end and copied."""

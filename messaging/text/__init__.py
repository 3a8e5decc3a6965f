"""Texts as they are counted, filled in, and understood."""

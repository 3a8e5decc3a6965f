"""What forms have in common: their fields, what they changed, and what becomes of one that cannot be saved now."""

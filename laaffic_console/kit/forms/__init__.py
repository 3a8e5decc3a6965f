"""What forms have in common: their fields, what they changed, and how one that cannot be saved now is kept."""

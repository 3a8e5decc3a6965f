"""Pages of replies and conversations."""

"""What Laaffic pushes: stored at once, applied in bulk, forgotten in time."""

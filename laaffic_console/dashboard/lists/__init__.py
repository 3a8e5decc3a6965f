"""What people keep of a list: its columns and its filters."""

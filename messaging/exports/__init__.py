"""What messaging gives away as files."""

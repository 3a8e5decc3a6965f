"""What every page of the admin stands on: its lists, its forms, rows that only machines write."""

"""The base of every page of the admin: its lists, its forms, rows that only machines write."""

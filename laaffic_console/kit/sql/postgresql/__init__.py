"""Django's backend for PostgreSQL, named in DATABASES by this package's path."""

"""Contacts and prices for django-import-export: columns, cleaning, and what a bad row says."""

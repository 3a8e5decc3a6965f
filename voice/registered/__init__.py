"""What voice registers with gateway, messaging and console: a module for each part, which `apps.py` calls."""

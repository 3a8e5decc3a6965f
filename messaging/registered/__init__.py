"""What messaging registers with gateway, reports and console: a module for each part, which `apps.py` calls."""

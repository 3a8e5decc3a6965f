"""What services of pools and owned numbers refuse."""

from django.core.exceptions import ValidationError


class Overtaken(ValidationError):
    """What it has at Laaffic is not what the person who changes it has looked at."""

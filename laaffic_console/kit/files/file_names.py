"""Names of files that people take away, made of what somebody called a thing."""

from django.core.exceptions import SuspiciousFileOperation
from django.utils.text import get_valid_filename


def made_of(called: str, at_most: int, otherwise: str) -> str:
    """Letters, digits, dashes, dots and underscores of it; `otherwise` where nothing readable is left: “€/$”."""
    try:
        name = get_valid_filename(called)
    except SuspiciousFileOperation:
        return otherwise
    return name[:at_most] if any(character.isalnum() for character in name) else otherwise

"""What a number is once it has been read, and what is raised where it is none."""

from typing import NamedTuple

MIN_DIGITS, MAX_DIGITS = 7, 15
SHORTEST_NATIONAL = 6  # digits of one whose country code was left out


class Msisdn(NamedTuple):
    number: str  # digits with country code
    country: str  # ISO 3166; "" where the number belongs to none
    time_zones: tuple[str, ...]
    is_valid: bool  # False: the right length, but in no known range


class InvalidNumber(ValueError):
    """Why this is not a number, in a sentence that says what to do."""

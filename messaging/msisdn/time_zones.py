"""The time zones in which a number can be, as the phonenumbers library has them."""

import functools

import phonenumbers
from phonenumbers import timezone as phone_time_zones
from phonenumbers.tzdata import TIMEZONE_DATA

LONGEST_CODE = 3  # digits of a calling code


def only_time_zones(number: str) -> tuple[str, ...]:
    """The zones of every number of its calling code, found without a look at the rest; () where they differ."""
    for length in range(1, LONGEST_CODE + 1):
        if number[:length] in _zones_of_codes():
            return _zones_of_codes()[number[:length]]
    return ()


@functools.cache
def _zones_of_codes() -> dict[str, tuple[str, ...]]:
    """{calling code: the zones that all of its prefixes have}, () where one has others."""
    found: dict[str, set[tuple[str, ...]]] = {str(code): set() for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}
    for prefix, zones in TIMEZONE_DATA.items():
        for length in range(1, LONGEST_CODE + 1):
            if prefix[:length] in found:
                found[prefix[:length]].add(known_zones(zones))
    return {code: next(iter(zones)) if len(zones) == 1 else () for code, zones in found.items()}


@functools.lru_cache(maxsize=100_000)
def zones_below(prefix: str) -> tuple[str, ...]:
    for length in range(len(prefix), 0, -1):
        if zones := TIMEZONE_DATA.get(prefix[:length]):
            return known_zones(zones)
    return ()


@functools.cache
def longest_prefix() -> int:
    return max(len(prefix) for prefix in TIMEZONE_DATA)


def library_time_zones(number: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    """IANA names; () where the library knows none."""
    return known_zones(phone_time_zones.time_zones_for_number(number))


def known_zones(zones: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(zone for zone in zones if zone != "Etc/Unknown")

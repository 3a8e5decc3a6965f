"""What the phonenumbers library says of a number, as an Msisdn."""

import phonenumbers

from messaging.msisdn.calling_codes import NO_COUNTRY
from messaging.msisdn.number import MAX_DIGITS, MIN_DIGITS, Msisdn
from messaging.msisdn.time_zones import library_time_zones


def settled(parsed: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    """The library takes one national prefix off; what is read again must read as itself, or it is a second contact."""
    while phonenumbers.is_possible_number(parsed) and not phonenumbers.is_valid_number(parsed):
        again = phonenumbers.parse(f"+{_digits_of(parsed)}", None)
        if _digits_of(again) == _digits_of(parsed):
            break
        parsed = again
    return parsed


def has_length(parsed: phonenumbers.PhoneNumber) -> bool:
    return MIN_DIGITS <= len(_digits_of(parsed)) <= MAX_DIGITS


def _digits_of(parsed: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]


def from_library(parsed: phonenumbers.PhoneNumber) -> Msisdn:
    country = phonenumbers.region_code_for_number(parsed) or _only_region(parsed.country_code)
    return Msisdn(
        _digits_of(parsed),
        "" if country == NO_COUNTRY else country,
        library_time_zones(parsed),
        phonenumbers.is_valid_number(parsed),
    )


def _only_region(country_code: int | None) -> str:
    """A number in no known range still belongs to its calling code's country, where there is just one."""
    regions = phonenumbers.region_codes_for_country_code(country_code or 0)
    return regions[0] if len(regions) == 1 else ""

"""A table of calling codes from the library's own metadata, which answers for most numbers fifteen times faster.

It only ever says yes; what it does not know is asked of the library, so the result is the same."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA

from messaging.msisdn.number import MAX_DIGITS, MIN_DIGITS, SHORTEST_NATIONAL, Msisdn
from messaging.msisdn.time_zones import known_zones, longest_prefix, zones_below

NO_COUNTRY = "001"  # the library's name for numbers that belong to the whole world, such as +800


@dataclass(frozen=True, slots=True)
class _Region:
    """A country as the library tells it from the others of its calling code: by leading digits, else by its ranges."""

    country: str
    leading: re.Pattern[str] | None
    valid: re.Pattern[str]
    mobile: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _CallingCode:
    length: int
    regions: tuple[_Region, ...]
    time_zones: tuple[str, ...]
    is_one_place: bool  # else the time zones of most numbers depend on more of their digits
    has_mobiles_in_places: bool


# Kinds of numbers in the library's order.
_SPECIAL = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")


def in_table(digits: str) -> Msisdn | None:
    """A yes from the table; None means: ask the library."""
    code = _codes[digits[:3]]
    if code is None or not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        return None
    for region in code.regions:
        if region.leading is not None and not region.leading.match(digits, code.length):
            continue
        if matched := region.valid.fullmatch(digits, code.length):
            zones = code.time_zones if code.is_one_place else _time_zones(code, digits, matched.lastgroup)
            return Msisdn(digits, region.country, zones, True)
        if region.leading is not None:
            return None
    return None


def with_any_code(digits: str) -> list[str]:
    """The numbers that these can be where the country code was left out: none of the world has another."""
    national = digits.lstrip("0")
    if len(national) < SHORTEST_NATIONAL or not (national.isascii() and national.isdecimal()):
        return []
    read = (in_table(f"{code}{national}") for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    return [found.number for found in read if found is not None]


def is_mobile(number: Msisdn) -> bool:
    code = _codes[number.number[:3]]
    if code is not None:
        for region in code.regions:
            if region.country == number.country and (matched := region.valid.fullmatch(number.number, code.length)):
                return matched.lastgroup != "special" and bool(region.mobile.fullmatch(number.number, code.length))
    kind = phonenumbers.number_type(phonenumbers.parse(f"+{number.number}"))
    return kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


class _Codes(dict[str, _CallingCode | None]):
    """Calling codes by a number's first three digits, made on demand: no calling code is the beginning of another."""

    def __missing__(self, beginning: str) -> _CallingCode | None:
        found = next((code for n in (1, 2, 3) if (code := _calling_code(beginning[:n])) is not None), None)
        self[beginning] = found
        return found


_codes = _Codes()


@functools.cache
def _calling_code(digits: str) -> _CallingCode | None:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits)) if digits else None
    if not regions or regions[0] == NO_COUNTRY or digits[0] == "0":
        return None
    said = {zones for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith(digits)}
    return _CallingCode(
        len(digits),
        tuple(_regions(regions)),
        known_zones(next(iter(said))) if len(said) == 1 else zones_below(digits),
        len(said) == 1,
        int(digits) in phonenumbers.phonenumberutil._GEO_MOBILE_COUNTRIES,
    )


def _regions(names: tuple[str, ...]) -> Iterator[_Region]:
    for name in names:
        metadata = PhoneMetadata.metadata_for_region(name)
        if metadata is not None:
            leading = re.compile(metadata.leading_digits) if metadata.leading_digits else None
            mobile = re.compile(_pattern(metadata, "mobile") or "(?!)")
            yield _Region(name, leading, re.compile(_alternation(metadata)), mobile)


def _alternation(metadata: PhoneMetadata) -> str:
    """National numbers the library calls valid without changing a digit: none of them starts with a zero to strip."""
    general = metadata.general_desc.national_number_pattern if metadata.general_desc else ""
    groups = [("special", _SPECIAL), ("fixed_line", ("fixed_line",)), ("mobile", ("mobile",))]
    kinds = [
        f"(?P<{name}>{'|'.join(patterns)})"
        for name, members in groups
        if (patterns := [pattern for member in members if (pattern := _pattern(metadata, member))])
    ]
    return f"(?!0)(?=(?:{general})$)(?:{'|'.join(kinds)})"


def _pattern(metadata: PhoneMetadata, kind: str) -> str:
    description = getattr(metadata, kind)
    if description is None or not description.national_number_pattern:
        return ""
    lengths = [length for length in description.possible_length if length > 0] or (
        metadata.general_desc.possible_length if metadata.general_desc else ()
    )
    sizes = "|".join(f"\\d{{{length}}}" for length in lengths)
    pattern = re.sub(r"(?<!\\)\((?!\?)", "(?:", description.national_number_pattern)  # no group but ours is counted
    return f"(?=(?:{sizes})$)(?:{pattern})"


def _time_zones(code: _CallingCode, digits: str, kind: str | None) -> tuple[str, ...]:
    """The time zones that the library gives: by the longest known prefix if tied to a place, else the country's."""
    if kind == "fixed_line" or (kind == "mobile" and code.has_mobiles_in_places):
        return zones_below(digits[: longest_prefix()])
    return code.time_zones

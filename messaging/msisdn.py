"""Phone numbers as people write them, read into an MSISDN: country code and number, digits only.

The phonenumbers library decides what is valid; a table built from its own metadata answers for most numbers fifteen
times faster. The table only ever says yes; what it does not know is asked of the library, so the result is the same.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata
from phonenumbers import timezone as phone_time_zones
from phonenumbers.tzdata import TIMEZONE_DATA

MIN_DIGITS, MAX_DIGITS = 7, 15

_separators = re.compile(r"[\s\-‐‑‒–—−./()\[\]·'’`\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_scientific = re.compile(r"^[+]?\d+([.,]\d+)?[eE][+]?\d+$")
_whole_float = re.compile(r"^\d{7,15}\.0+$")


@dataclass(frozen=True, slots=True)
class Msisdn:
    number: str  # digits with country code
    country: str  # ISO 3166; "" where the number belongs to none
    time_zones: tuple[str, ...]
    is_valid: bool  # False: the right length, but in no known range


class InvalidNumber(ValueError):
    """Why this is no number, in a sentence that says what to do."""


def parse(text: str, region: str | None = None) -> Msisdn:
    """Read a number. Without + or 00 it is national in `region` if that is valid, else it has its country code."""
    digits, international = _digits(text)
    if not international and region and (national := _national(digits, region)):
        return national
    return _international(digits, region)


def _digits(text: str) -> tuple[str, bool]:
    """(digits, whether they were written with + or 00)."""
    if text.isdecimal() and text.isascii() and text[0] != "0":
        return text, False
    written = text if text.isascii() else unicodedata.normalize("NFKC", text)
    written = written.strip().strip("'\"")
    if not written:
        raise InvalidNumber("There is no number.")
    if _scientific.match(written):
        raise InvalidNumber(
            "A spreadsheet has shortened this number and its digits are lost. "
            "Format the column as text and export it again."
        )
    if _whole_float.match(written):
        written = written.split(".", 1)[0]
    compact = _separators.sub("", written)
    if not compact.isascii():
        compact = "".join(str(int(character)) if character.isdecimal() else character for character in compact)
    international = compact.startswith(("+", "00"))
    digits = compact[1:] if compact.startswith("+") else compact.removeprefix("00")
    if not digits.isdecimal():
        raise InvalidNumber(
            f"“{text.strip()[:40]}” is not a phone number: use digits, with + or 00 before the country code."
        )
    return digits, international


def _national(digits: str, region: str) -> Msisdn | None:
    try:
        parsed = phonenumbers.parse(digits, region)
    except NumberParseException:
        return None
    return _from_library(parsed) if phonenumbers.is_valid_number(parsed) else None


def _international(digits: str, region: str | None) -> Msisdn:
    if quick := _quick(digits):
        return quick
    try:
        parsed = phonenumbers.parse(f"+{digits}", None)
    except NumberParseException as problem:
        raise InvalidNumber(_why(digits, region, problem)) from None
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise InvalidNumber(_why_impossible(digits, region, possible))
    return _from_library(parsed)


def _from_library(parsed: phonenumbers.PhoneNumber) -> Msisdn:
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]
    if not MIN_DIGITS <= len(number) <= MAX_DIGITS:
        raise InvalidNumber(f"{len(number)} digits; a number has {MIN_DIGITS} to {MAX_DIGITS} with its country code.")
    country = phonenumbers.region_code_for_number(parsed) or _only_region(parsed.country_code)
    return Msisdn(number, country, _library_time_zones(parsed), phonenumbers.is_valid_number(parsed))


def _only_region(country_code: int | None) -> str:
    """A number in no known range still belongs to its calling code's country, where there is just one."""
    regions = phonenumbers.region_codes_for_country_code(country_code or 0)
    return regions[0] if len(regions) == 1 and regions[0] != "001" else ""


def _why(digits: str, region: str | None, problem: NumberParseException) -> str:
    if problem.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        hint = "" if region else " Or choose the country these numbers belong to."
        return f"{digits[:20]} begins with no country code. Write it with its country code, like +91 98765 43210.{hint}"
    return f"{digits[:20]} has {len(digits)} digits; a number has {MIN_DIGITS} to {MAX_DIGITS} with its country code."


def _why_impossible(digits: str, region: str | None, possible: int) -> str:
    length = "too short" if possible == phonenumbers.ValidationResult.TOO_SHORT else "too long"
    if possible == phonenumbers.ValidationResult.INVALID_LENGTH:
        length = "of a wrong length"
    hint = "" if region else " If it is a national number, choose its country."
    return f"{digits[:20]} is {length} for its country.{hint}"


@dataclass(frozen=True, slots=True)
class _Region:
    """A country as the library tells it from the others of its calling code: by leading digits, else by its ranges."""

    country: str
    leading: re.Pattern[str] | None
    valid: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _CallingCode:
    regions: tuple[_Region, ...]
    time_zones: tuple[str, ...] | None  # None: they differ within the code


# Kinds of numbers in the library's order. A mobile number is tied to a place in some countries only.
_SPECIAL = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
_MOBILE_IN_PLACES = frozenset(phonenumbers.phonenumberutil._GEO_MOBILE_COUNTRIES)


def _quick(digits: str) -> Msisdn | None:
    """A yes from the table; None means: ask the library."""
    for length in (1, 2, 3):
        code = _table().get(digits[:length])
        if code is not None:
            return _in_code(code, digits, length)
    return None


def _in_code(code: _CallingCode, digits: str, length: int) -> Msisdn | None:
    for region in code.regions:
        if region.leading is not None and not region.leading.match(digits, length):
            continue
        if matched := region.valid.fullmatch(digits, length):
            zones = code.time_zones
            if zones is None:
                zones = _time_zones(digits, length, matched.lastgroup or "")
            return Msisdn(digits, region.country, zones, is_valid=True)
        if region.leading is not None:
            return None
    return None


@functools.cache
def _table() -> dict[str, _CallingCode]:
    return {
        str(code): _CallingCode(tuple(_regions(regions)), _uniform_time_zones(str(code)))
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        if regions[0] != "001"
    }


def _regions(names: tuple[str, ...]) -> Iterator[_Region]:
    for name in names:
        metadata = PhoneMetadata.metadata_for_region(name)
        if metadata is not None:
            leading = re.compile(metadata.leading_digits) if metadata.leading_digits else None
            yield _Region(name, leading, re.compile(_alternation(metadata)))


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


def _uniform_time_zones(code: str) -> tuple[str, ...] | None:
    """The zones of a calling code when every prefix below it says the same."""
    said = {zones for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith(code)}
    return _known(next(iter(said))) if len(said) == 1 else None


def _time_zones(digits: str, code_length: int, kind: str) -> tuple[str, ...]:
    """As the library does: by the longest known prefix for numbers tied to a place, else the country's."""
    in_a_place = kind == "fixed_line" or (kind == "mobile" and int(digits[:code_length]) in _MOBILE_IN_PLACES)
    return _zones_below(digits[: _longest_prefix() if in_a_place else code_length])


@functools.lru_cache(maxsize=100_000)
def _zones_below(prefix: str) -> tuple[str, ...]:
    for length in range(len(prefix), 0, -1):
        if zones := TIMEZONE_DATA.get(prefix[:length]):
            return _known(zones)
    return ()


@functools.cache
def _longest_prefix() -> int:
    return max(len(prefix) for prefix in TIMEZONE_DATA)


def _library_time_zones(number: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    """IANA names; () where the library knows none."""
    return _known(phone_time_zones.time_zones_for_number(number))


def _known(zones: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(zone for zone in zones if zone != "Etc/Unknown")

"""Phone numbers as people write them, read into an MSISDN: country code and number, digits only.

The phonenumbers library decides what is valid; a table built from its own metadata answers for most numbers fifteen
times faster. The table only ever says yes; what it does not know is asked of the library, so the result is the same.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import phonenumbers
from django.utils.translation import gettext_noop
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType, ValidationResult
from phonenumbers import timezone as phone_time_zones
from phonenumbers.tzdata import TIMEZONE_DATA

from laaffic_console.kit.said import gettext as _
from laaffic_console.kit.said import joined, ngettext

MIN_DIGITS, MAX_DIGITS = 7, 15
LONGEST_DIALLED = 8  # digits before a foreign number, with the carrier's
NO_COUNTRY = "001"  # the library's name for numbers that belong to the whole world, such as +800

_separators = re.compile(r"[\s\-‐‑‒–—−./()\[\]·'’`\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_usual_separators = str.maketrans("", "", " -()")
_scheme = re.compile(r"^(tel|sms|whatsapp|p):", re.IGNORECASE)  # p: as lead forms write it
_second_tone = re.compile(
    r"^\s*([08])\s*[~∼～〜]\s*(10|0)"
)  # 8, the second dialling tone, 10: out of Russia; 0~0 of Ukraine
_scientific = re.compile(r"^[+]?\d+([.,]\d+)?\s*[eE]\s*[+]?\d+$")
_whole_float = re.compile(r"^\d{7,15}[.,]0+$")
_broken_float = re.compile(r"^\d{8,}[.,]\d{1,2}$")


class Msisdn(NamedTuple):
    number: str  # digits with country code
    country: str  # ISO 3166; "" where the number belongs to none
    time_zones: tuple[str, ...]
    is_valid: bool  # False: the right length, but in no known range


class InvalidNumber(ValueError):
    """Why this is not a number, in a sentence that says what to do."""


def parse(text: str, region: str | None = None, *, foreign_without_plus: bool = False) -> Msisdn:
    """Read a number as people write it; InvalidNumber says why not.

    With + or 00 it has its country code. Without, and with no `region`, too: so does the gateway write it. With a
    `region`, it can begin with what is dialled there for abroad, such as 011; else it is a number of that region, with
    or without its country code. A foreign number without + is refused, unless `foreign_without_plus` says that there
    are such: then whichever reading is valid is taken. Where two readings are, a mobile number of the region is meant:
    4915123456789 has its country code, and is not a landline of Leer. Any other is refused, because a guess would reach
    somebody else.
    """
    if found := _at_first_sight(text, region):
        return found
    written = _Written.read(text, region)
    if not region or written.mark == "+":
        return _quick(written.digits) or _international(written, region)
    rules = _national_rules(region)
    if written.mark or (rules is not None and rules.abroad.match(written.digits)):
        return _dialled_abroad(written, region, foreign_without_plus)
    return _of_region(written, region, foreign_without_plus)


def _at_first_sight(text: str, region: str | None) -> Msisdn | None:
    """A number with its country code that could be nothing else, which most are; None means: look closely."""
    digits = text.translate(_usual_separators)
    if digits[:1] == "+":
        digits = digits[1:]
    elif region:
        return None
    if len(digits) >= _TWO_NUMBERS or not (text[-3:].isdecimal() and digits.isdecimal() and digits.isascii()):
        return None
    return _quick(digits)


class _Written(NamedTuple):
    text: str  # for people
    digits: str
    mark: str  # "+" or "00", which are not among the digits, or ""

    @property
    def is_international(self) -> bool:
        return bool(self.mark)

    @classmethod
    def read(cls, text: str, region: str | None) -> "_Written":
        digits = text.translate(_usual_separators)
        mark = _mark(digits)
        if mark:
            digits = digits[len(mark) :]
        if digits.isdecimal() and digits.isascii():
            if not text[-3:].isdecimal() or len(digits) >= _TWO_NUMBERS:
                _refuse_a_second_number(text, text, region)
            return cls(text, digits, mark)
        return cls._cleaned(text, region)

    @classmethod
    def _cleaned(cls, text: str, region: str | None) -> "_Written":
        plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
        plain = _scheme.sub("", plain.strip().strip("'\"").strip())
        if not _separators.sub("", plain):
            raise InvalidNumber(_("There is no number."))
        shown = text.strip()[:40]
        _refuse_what_a_spreadsheet_broke(plain, shown)
        if _whole_float.match(plain):
            plain = re.split("[.,]", plain)[0]
        _refuse_a_second_number(plain, shown, region)
        compact = _separators.sub("", _second_tone.sub(r"\1\2", plain))
        if not compact.isascii():
            compact = "".join(str(int(character)) if character.isdecimal() else character for character in compact)
        mark = _mark(compact)
        digits = compact[len(mark) :]
        if not (digits.isdecimal() and digits.isascii()):
            said = _("“%(text)s” is not a phone number: use digits, with + or 00 before the country code.")
            raise InvalidNumber(said % {"text": shown})
        return cls(shown, digits, mark)


def _mark(digits: str) -> str:
    return "+" if digits.startswith("+") else "00" if digits.startswith("00") else ""


def _refuse_what_a_spreadsheet_broke(plain: str, shown: str) -> None:
    if _scientific.match(plain):
        raise InvalidNumber(
            _(
                "A spreadsheet has shortened this number and its digits are lost. "
                "Format the column as text and export it again."
            )
        )
    if _broken_float.match(plain) and not _whole_float.match(plain):
        said = _("“%(text)s” is a decimal number. Format the column as text and export it again.")
        raise InvalidNumber(said % {"text": shown})


def _international(written: _Written, region: str | None) -> Msisdn:
    try:
        parsed = _settled(phonenumbers.parse(f"+{written.digits}", None))
    except NumberParseException as problem:
        raise InvalidNumber(_why(written, region, problem)) from None
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != ValidationResult.IS_POSSIBLE or not _has_length(parsed):
        raise InvalidNumber(_why_impossible(written, possible, region))
    return _from_library(parsed)


def _of_region(written: _Written, region: str, foreign_without_plus: bool) -> Msisdn:
    national = _national(written.digits, region)
    if national is not None and national.is_valid and _is_mobile(national):
        return national
    carried = _or_none(written.digits, written, region)  # read as if its country code stood there
    is_allowed = carried is not None and (foreign_without_plus or _is_of(carried, region))
    if national is not None and (carried is None or not carried.is_valid or national.number == carried.number):
        return national
    if national is not None and national.is_valid and carried is not None:
        if _is_of(carried, region) and _is_mobile(carried):
            return carried
        raise _two_readings(written, [national.number, carried.number])
    if carried is None or not is_allowed:
        raise InvalidNumber(_why_not_national(written, region, carried))
    return carried


def _dialled_abroad(written: _Written, region: str, foreign_without_plus: bool) -> Msisdn:
    """Behind 00, or behind what is dialled in the region for abroad, which can be read in more than one way.

    From Hong Kong 001 65 … goes to Singapore, and 00 1 659 … to Alabama. The region's own country code wins, then
    what is written as a group of its own.
    """
    digits = f"{written.mark}{written.digits}"
    readings = _readings_abroad(digits, written, region)
    if not written.mark and (national := _national(digits, region)) is not None and _is_of(national, region):
        readings[""] = national
    valid = {prefix: found for prefix, found in readings.items() if found.is_valid}
    if not (wanted := valid or readings):
        return _international(written, region) if written.mark else _of_region(written, region, foreign_without_plus)
    ours = {found.number: found for found in wanted.values() if _is_of(found, region)}
    numbers = ours if len(ours) == 1 else {found.number: found for found in wanted.values()}
    if len(numbers) == 1:
        return next(iter(numbers.values()))
    if (group := _group.search(written.text)) and (apart := wanted.get(group[0])):
        return apart
    raise _two_readings(written, sorted(numbers))


def _readings_abroad(digits: str, written: _Written, region: str) -> dict[str, Msisdn]:
    """What is dialled for abroad → the number behind it, each way in which the digits can be taken apart."""
    rules = _national_rules(region)
    found = {}
    for length in range(1, min(len(digits), LONGEST_DIALLED) + 1):
        prefix = digits[:length]
        is_dialled = prefix == "00" or (rules is not None and rules.abroad.fullmatch(prefix))
        if is_dialled and (reading := _or_none(digits[length:], written, region)):
            found[prefix] = reading
    return found


def _or_none(digits: str, written: _Written, region: str) -> Msisdn | None:
    try:
        return _quick(digits) or _international(written._replace(digits=digits), region)
    except InvalidNumber:
        return None


def _is_of(number: Msisdn, region: str) -> bool:
    rules = _national_rules(region)
    return rules is not None and number.number.startswith(str(rules.calling_code))


def _two_readings(written: _Written, numbers: list[str]) -> InvalidNumber:
    said = _("%(text)s can be +%(national)s or +%(abroad)s. Write it with + and its country code.")
    return InvalidNumber(said % {"text": written.text, "national": numbers[0], "abroad": numbers[1]})


def _national(digits: str, region: str) -> Msisdn | None:
    """The number as one of this country, if its length allows it."""
    rules = _national_rules(region)
    if rules is not None and not rules.prefix.match(digits) and (quick := _quick(f"{rules.calling_code}{digits}")):
        return quick
    try:
        parsed = _settled(phonenumbers.parse(digits, region))
    except NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    return _from_library(parsed) if possible and _has_length(parsed) else None


@dataclass(frozen=True, slots=True)
class _NationalRules:
    calling_code: int
    prefix: re.Pattern[str]  # what the library may take off; with such a beginning it is asked
    abroad: re.Pattern[str]  # what is dialled before a foreign number: 011 in the US, 00 and a carrier in Brazil


@functools.cache
def _national_rules(region: str) -> _NationalRules | None:
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.country_code is None:
        return None
    beginnings = [metadata.national_prefix_for_parsing, metadata.international_prefix, "0"]
    return _NationalRules(
        metadata.country_code,
        re.compile("|".join(f"(?:{beginning})" for beginning in beginnings if beginning)),
        re.compile(metadata.international_prefix or "(?!)"),
    )


def _is_mobile(number: Msisdn) -> bool:
    code = _table().get(number.number[:3])
    if code is not None:
        for region in code.regions:
            if region.country == number.country and (matched := region.valid.fullmatch(number.number, code.length)):
                return matched.lastgroup != "special" and bool(region.mobile.fullmatch(number.number, code.length))
    kind = phonenumbers.number_type(phonenumbers.parse(f"+{number.number}"))
    return kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def _settled(parsed: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    """The library takes one national prefix off; what is read again must read as itself, or it is a second contact."""
    while phonenumbers.is_possible_number(parsed) and not phonenumbers.is_valid_number(parsed):
        again = phonenumbers.parse(f"+{_digits_of(parsed)}", None)
        if _digits_of(again) == _digits_of(parsed):
            break
        parsed = again
    return parsed


def _has_length(parsed: phonenumbers.PhoneNumber) -> bool:
    return MIN_DIGITS <= len(_digits_of(parsed)) <= MAX_DIGITS


def _digits_of(parsed: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]


def _from_library(parsed: phonenumbers.PhoneNumber) -> Msisdn:
    country = phonenumbers.region_code_for_number(parsed) or _only_region(parsed.country_code)
    return Msisdn(
        _digits_of(parsed),
        "" if country == NO_COUNTRY else country,
        _library_time_zones(parsed),
        phonenumbers.is_valid_number(parsed),
    )


def _only_region(country_code: int | None) -> str:
    """A number in no known range still belongs to its calling code's country, where there is just one."""
    regions = phonenumbers.region_codes_for_country_code(country_code or 0)
    return regions[0] if len(regions) == 1 else ""


def _why(written: _Written, region: str | None, problem: NumberParseException) -> str:
    if len(written.digits) > MAX_DIGITS:
        return joined([_how_many_digits(written), _("If these are several numbers, give each a row of its own.")])
    if problem.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        said = _("%(text)s begins with no country code. Write it like +91 98765 43210.") % {"text": written.text}
        return said if region else joined([said, _("Or choose the country these numbers belong to.")])
    return _how_many_digits(written)


def _how_many_digits(written: _Written) -> str:
    n = len(written.digits)
    said = ngettext(
        "%(n)d digit; a number has %(least)d to %(most)d with its country code.",
        "%(n)d digits; a number has %(least)d to %(most)d with its country code.",
        n,
    )
    return said % {"n": n, "least": MIN_DIGITS, "most": MAX_DIGITS}


_WRONG_FOR_CODE = {
    ValidationResult.TOO_SHORT: gettext_noop("%(text)s is too short for its country code. Check its digits."),
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: gettext_noop(
        "%(text)s is too short: its area code is missing for its country code. Check its digits."
    ),
    ValidationResult.TOO_LONG: gettext_noop("%(text)s is too long for its country code. Check its digits."),
    ValidationResult.INVALID_LENGTH: gettext_noop(
        "%(text)s is of a wrong length for its country code. Check its digits."
    ),
}
_WRONG_FOR_REGION = {
    ValidationResult.TOO_SHORT: gettext_noop(
        "%(text)s is too short for %(region)s, and has no other country code. Check its digits."
    ),
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: gettext_noop(
        "%(text)s is too short: its area code is missing for %(region)s, and has no other country code. "
        "Check its digits."
    ),
    ValidationResult.TOO_LONG: gettext_noop(
        "%(text)s is too long for %(region)s, and has no other country code. Check its digits."
    ),
    ValidationResult.INVALID_LENGTH: gettext_noop(
        "%(text)s is of a wrong length for %(region)s, and has no other country code. Check its digits."
    ),
}


def _why_impossible(written: _Written, possible: int, region: str | None) -> str:
    words = _WRONG_FOR_CODE.get(possible, _WRONG_FOR_CODE[ValidationResult.INVALID_LENGTH])
    said = _(words) % {"text": written.text}
    if region or written.is_international:
        return said
    return joined([said, _("If it is a national number, choose its country.")])


def _why_not_national(written: _Written, region: str, abroad: Msisdn | None) -> str:
    if abroad is not None and abroad.is_valid:
        foreign = _(
            "%(text)s is not a number of %(region)s. Correct its digits; if it is a foreign one, write it with + and "
            "its country code, or choose that foreign numbers are written without +."
        )
        return str(foreign % {"text": written.text, "region": region})
    try:
        possible = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(written.digits, region))
    except NumberParseException:
        possible = ValidationResult.TOO_SHORT if len(written.digits) < MIN_DIGITS else ValidationResult.TOO_LONG
    said = _(_WRONG_FOR_REGION.get(possible, _WRONG_FOR_REGION[ValidationResult.INVALID_LENGTH]))
    return str(said % {"text": written.text, "region": region})


# A second number, or a second ending of the same one, would be read as more digits of the first.
_TWO_NUMBERS = 14  # digits
_WHOLE = 7  # digits of a number that can be dialled
_WITHOUT_CODE = 10  # digits of most mobile numbers without country code
_AREA, _AREA_WITH_CODE, _SUBSCRIBER = 6, 9, 4  # digits before and behind the slash of one number
_group = re.compile(r"\d+")
_line = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+|[ ]{3,}")
_in_brackets_at_the_end = re.compile(r"\d[^\d]*[(\[]\s*\d{1,4}\s*[)\]]\s*$")
_short_tail = re.compile(r"^(.*\d)\s*[-‐‑‒–—−./()\[\]·]\s*\d{1,2}\s*$", re.DOTALL)
_halves = re.compile(r"[-‐‑‒–—−./·]+")


def _refuse_a_second_number(text: str, shown: str, region: str | None) -> None:
    if _in_brackets_at_the_end.search(text) and _count(text) > _WHOLE:
        raise _second(shown)
    if any(_are_several(text, parts) for parts in (_line.split(text.strip()), _halves.split(text), text.split("/"))):
        raise _second(shown)
    if "/" in text and not _is_slash_of_one_number(text):
        raise _second(shown)
    if (tail := _short_tail.match(text)) and _is_whole(tail[1], text, region):
        raise _second(shown)


def _second(shown: str) -> InvalidNumber:
    said = _(
        "“%(text)s” holds a second number or a second ending. If these are several numbers, give each a row of its "
        "own; leave an extension out."
    )
    return InvalidNumber(said % {"text": shown.strip()[:40]})


def _count(text: str) -> int:
    return sum(len(digits) for digits in _group.findall(text))


def _are_several(text: str, parts: list[str]) -> bool:
    return sum(_count(part) >= _WHOLE for part in parts) > 1


def _is_slash_of_one_number(text: str) -> bool:
    """As in 030/123456, +49 171/1234567, 0475/12.34.56 and 06/12/34/56/78: only an area code stands before it."""
    head, *tails = text.split("/")
    is_international = head.strip().startswith(("+", "00"))
    if len(tails) == 1:
        return _count(head) <= (_AREA_WITH_CODE if is_international else _AREA) and _count(tails[0]) >= _SUBSCRIBER
    sizes = {_count(tail) for tail in tails}
    return _count(head) <= _AREA - 1 and (sizes <= {2, 3} or len(sizes) == 1)


def _is_whole(head: str, text: str, region: str | None) -> bool:
    """A mobile number has no extension; one without + and country is whole with ten digits between few marks."""
    digits = "".join(_group.findall(head))
    if text.lstrip(" (").startswith("+") or digits.startswith("00"):
        found = _quick(digits.removeprefix("00"))
    elif region:
        found = _national(digits, region)
    else:
        return len(digits) >= _WITHOUT_CODE and not _halves.search(head)
    return found is not None and found.is_valid and _is_mobile(found)


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


def _quick(digits: str) -> Msisdn | None:
    """A yes from the table; None means: ask the library."""
    code = _table().get(digits[:3])
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


@functools.cache
def _table() -> dict[str, _CallingCode]:
    """By a number's first three digits: no calling code is the beginning of another."""
    table: dict[str, _CallingCode] = {}
    for number, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if regions[0] == NO_COUNTRY:
            continue
        digits = str(number)
        code = _calling_code(digits, regions)
        missing = 3 - len(digits)
        table |= {f"{digits}{rest:0{missing}}" if missing else digits: code for rest in range(10**missing)}
    return table


def _calling_code(digits: str, regions: tuple[str, ...]) -> _CallingCode:
    said = {zones for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith(digits)}
    return _CallingCode(
        len(digits),
        tuple(_regions(regions)),
        _known(next(iter(said))) if len(said) == 1 else _zones_below(digits),
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


def only_time_zones(number: str) -> tuple[str, ...]:
    """The zones of every number of its calling code, found without a look at the rest; () where they differ."""
    for length in (1, 2, 3):
        if number[:length] in _zones_of_codes():
            return _zones_of_codes()[number[:length]]
    return ()


@functools.cache
def _zones_of_codes() -> dict[str, tuple[str, ...]]:
    """{calling code: the zones that all of its prefixes have}, () where one has others."""
    found: dict[str, set[tuple[str, ...]]] = {str(code): set() for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}
    for prefix, zones in TIMEZONE_DATA.items():
        for length in (1, 2, 3):
            if prefix[:length] in found:
                found[prefix[:length]].add(_known(zones))
    return {code: next(iter(zones)) if len(zones) == 1 else () for code, zones in found.items()}


def _time_zones(code: _CallingCode, digits: str, kind: str | None) -> tuple[str, ...]:
    """As the library does: by the longest known prefix for numbers tied to a place, else the country's."""
    if kind == "fixed_line" or (kind == "mobile" and code.has_mobiles_in_places):
        return _zones_below(digits[: _longest_prefix()])
    return code.time_zones


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

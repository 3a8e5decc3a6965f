"""Which number is meant by what was written: international, of a region, or dialled from there abroad."""

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from messaging.msisdn.calling_codes import in_table, is_mobile
from messaging.msisdn.library import from_library, has_length, settled
from messaging.msisdn.national import is_of, national_rules, read_national
from messaging.msisdn.number import InvalidNumber, Msisdn
from messaging.msisdn.refusals import two_readings, why_impossible, why_not_national, why_refused
from messaging.msisdn.second_numbers import TWO_NUMBERS, digit_group
from messaging.msisdn.written import Written, usual_separators

LONGEST_DIALLED = 8  # digits before a foreign number, with the carrier's


def parse(text: str, region: str | None = None, *, foreign_without_plus: bool = False) -> Msisdn:
    """Read a number as people write it; InvalidNumber says why not.

    With + or 00 it has its country code. Without, and with no `region`, too: so does the gateway write it. "" is no
    region where one could have been chosen, None where there is no choice: what is refused is told accordingly. With a
    `region`, it can begin with what is dialled there for abroad, such as 011; else it is a number of that region, with
    or without its country code. A foreign number without + is refused, unless `foreign_without_plus` says that there
    are such: then whichever reading is valid is taken. Where two readings are, a mobile number of the region is meant:
    4915123456789 has its country code, and is not a landline of Leer. Any other is refused, because a guess would reach
    somebody else.
    """
    if found := _at_first_sight(text, region):
        return found
    written = Written.read(text, region)
    if not region or written.mark == "+":
        return in_table(written.digits) or _international(written, region)
    rules = national_rules(region)
    if written.mark or (rules is not None and rules.abroad.match(written.digits)):
        return _dialled_abroad(written, region, foreign_without_plus)
    return _of_region(written, region, foreign_without_plus)


def is_valid(text: str) -> bool:
    try:
        parse(text)
    except InvalidNumber:
        return False
    return True


def country_of(number: str) -> str:
    """The country of an MSISDN; "" if it is valid in none."""
    try:
        return parse(f"+{number}").country
    except InvalidNumber:
        return ""


def _at_first_sight(text: str, region: str | None) -> Msisdn | None:
    """A number with its country code that could be nothing else, which most are; None means: look closely."""
    digits = text.translate(usual_separators)
    if digits[:1] == "+":
        digits = digits[1:]
    elif region:
        return None
    if len(digits) >= TWO_NUMBERS or not (text[-3:].isdecimal() and digits.isdecimal() and digits.isascii()):
        return None
    return in_table(digits)


def _international(written: Written, region: str | None) -> Msisdn:
    try:
        parsed = settled(phonenumbers.parse(f"+{written.digits}", None))
    except NumberParseException as problem:
        raise InvalidNumber(why_refused(written, region, problem)) from None
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != ValidationResult.IS_POSSIBLE or not has_length(parsed):
        raise InvalidNumber(why_impossible(written, possible, region))
    return from_library(parsed)


def _of_region(written: Written, region: str, foreign_without_plus: bool) -> Msisdn:
    national = read_national(written.digits, region)
    if national is not None and national.is_valid and is_mobile(national):
        return national
    carried = _or_none(written.digits, written, region)  # read as if its country code were there
    is_allowed = carried is not None and (foreign_without_plus or is_of(carried.number, region))
    if national is not None and (carried is None or not carried.is_valid or national.number == carried.number):
        return national
    if national is not None and national.is_valid and carried is not None:
        if is_of(carried.number, region) and is_mobile(carried):
            return carried
        raise two_readings(written, [national.number, carried.number])
    if carried is None or not is_allowed:
        raise InvalidNumber(why_not_national(written, region, carried))
    return carried


def _dialled_abroad(written: Written, region: str, foreign_without_plus: bool) -> Msisdn:
    """Behind 00, or behind what is dialled in the region for abroad, which can be read in more than one way.

    From Hong Kong 001 65 … goes to Singapore, and 00 1 659 … to Alabama. The region's own country code wins, then
    what is written as a group of its own.
    """
    digits = f"{written.mark}{written.digits}"
    readings = _readings_abroad(digits, written, region)
    if not written.mark and (national := read_national(digits, region)) is not None and is_of(national.number, region):
        readings[""] = national
    valid = {prefix: found for prefix, found in readings.items() if found.is_valid}
    if not (wanted := valid or readings):
        return _international(written, region) if written.mark else _of_region(written, region, foreign_without_plus)
    ours = {found.number: found for found in wanted.values() if is_of(found.number, region)}
    numbers = ours if len(ours) == 1 else {found.number: found for found in wanted.values()}
    if len(numbers) == 1:
        return next(iter(numbers.values()))
    if (group := digit_group.search(written.text)) and (apart := wanted.get(group[0])):
        return apart
    raise two_readings(written, sorted(numbers))


def _readings_abroad(digits: str, written: Written, region: str) -> dict[str, Msisdn]:
    """What is dialled for abroad → the number behind it, each way in which the digits can be taken apart."""
    rules = national_rules(region)
    found = {}
    for length in range(1, min(len(digits), LONGEST_DIALLED) + 1):
        prefix = digits[:length]
        is_dialled = prefix == "00" or (rules is not None and rules.abroad.fullmatch(prefix))
        if is_dialled and (reading := _or_none(digits[length:], written, region)):
            found[prefix] = reading
    return found


def _or_none(digits: str, written: Written, region: str) -> Msisdn | None:
    try:
        return in_table(digits) or _international(written._replace(digits=digits), region)
    except InvalidNumber:
        return None

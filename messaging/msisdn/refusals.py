"""Why a number was refused, in sentences that say what to do."""

import phonenumbers
from django.utils.translation import gettext_noop
from phonenumbers import NumberParseException, ValidationResult

from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined, ngettext
from messaging.msisdn.number import MAX_DIGITS, MIN_DIGITS, InvalidNumber, Msisdn
from messaging.msisdn.written import Written


def two_readings(written: Written, numbers: list[str]) -> InvalidNumber:
    said = _("%(text)s can be +%(national)s or +%(abroad)s. Write it with + and its country code.")
    return InvalidNumber(said % {"text": written.text, "national": numbers[0], "abroad": numbers[1]})


def why_refused(written: Written, region: str | None, problem: NumberParseException) -> str:
    if len(written.digits) > MAX_DIGITS:
        return joined([_how_many_digits(written), _("If these are several numbers, give each a row of its own.")])
    if problem.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        said = _("%(text)s does not begin with a country code. Write it like +91 98765 43210.") % {"text": written.text}
        return joined([said, _("Or choose the country these numbers belong to.")]) if region == "" else said
    return _how_many_digits(written)


def _how_many_digits(written: Written) -> str:
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


def why_impossible(written: Written, possible: int, region: str | None) -> str:
    words = _WRONG_FOR_CODE.get(possible, _WRONG_FOR_CODE[ValidationResult.INVALID_LENGTH])
    said = _(words) % {"text": written.text}
    if region or written.is_international:
        return said
    if region is None:
        return joined([said, _("If it is a national number, begin with + and its country's code.")])
    return joined([said, _("If it is a national number, choose its country.")])


def why_not_national(written: Written, region: str, abroad: Msisdn | None) -> str:
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

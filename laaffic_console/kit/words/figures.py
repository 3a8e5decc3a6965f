"""Numbers, money and shares as the reader's language writes them. Files and scripts get plain digits instead."""

from copy import copy
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, format_decimal
from django.utils.formats import number_format
from django.utils.translation import get_language, to_locale


def number(value: float | Decimal) -> str:
    return str(format_decimal(value, locale=_locale(), decimal_quantization=False))


def pace(a_second: float) -> str:
    """How many a second, or how many seconds; what is little is not 0: 1,250 or 4.5 or 0.02 or 0.003."""
    least = -Decimal(a_second).adjusted() if a_second else 0  # the place of the first digit that is not a zero
    return number(round(a_second, 0 if a_second >= 10 else 1 if a_second >= 1 else max(2, least)))


def money(amount: Decimal | float, currency: str = "") -> str:
    """133.59 USD: two decimals, and for less than one unit the first two digits that say something (0.0031 USD).

    The one place where an amount is rounded, half up and once, so that no two pages differ by a cent.
    """
    exact = Decimal(str(amount))
    shown = exact.quantize(Decimal(1).scaleb(-_decimals(exact)), ROUND_HALF_UP)
    return f"{number_format(shown, _decimals(shown), force_grouping=True)} {currency}".strip()


def _decimals(amount: Decimal) -> int:
    if not amount or abs(amount) >= 1:
        return 2
    first = -amount.adjusted()  # the place of the first digit that is not a zero
    digits = amount.quantize(Decimal(1).scaleb(-first - 1), ROUND_HALF_UP).normalize().as_tuple()
    return max(2, -int(digits.exponent))


def share(part: float | Decimal, whole: float | Decimal, digits: int = 1) -> float:
    """Per cent, rounded down: 100 is shown only when it is true. 0 of nothing."""
    scale = 10**digits
    return int(Decimal(part) * 100 * scale // Decimal(whole)) / scale if whole else 0.0


def in_percent(hundredths: float | Decimal | str, digits: int = 1) -> str:
    """A share that was measured has its decimal, so that 92.0% is below 91.9%, and is rounded down as `share` is.

    A whole number of per cent is what somebody set, or how far something is, and stays whole: 85%.
    """
    if isinstance(hundredths, int):
        digits = 0
    shown = (Decimal(str(hundredths)) / 100).quantize(Decimal(1).scaleb(-digits - 2), ROUND_DOWN)
    return str(_percent_pattern(_locale(), digits).apply(shown, _locale(), decimal_quantization=False))


@lru_cache(maxsize=16)
def _percent_pattern(locale: Locale, digits: int) -> NumberPattern:
    pattern: NumberPattern = copy(locale.percent_formats[None])
    pattern.frac_prec = (digits, digits)
    return pattern


def _locale() -> Locale:
    return locale_of(get_language() or "en")


@lru_cache(maxsize=8)
def locale_of(code: str) -> Locale:
    """Babel's locale of a language code; that of the language alone where Babel does not know the region."""
    try:
        return Locale.parse(to_locale(code))
    except UnknownLocaleError:
        return Locale.parse(code.partition("-")[0])

"""Numbers, money and shares as the reader's language writes them. Files and scripts get plain digits instead."""

from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency, format_decimal, format_percent
from django.utils.translation import get_language, to_locale


def number(value: float | Decimal) -> str:
    return str(format_decimal(value, locale=_locale(), decimal_quantization=False))


def money(amount: Decimal | float, currency: str) -> str:
    """All digits that an amount has: a message costs a fraction of a cent. A currency that nobody knows is its code."""
    exact = Decimal(str(amount)).normalize() + 0
    if not currency:
        return number(exact)
    shape = None if _is_known(currency) else "#,##0.00 ¤¤"
    return str(format_currency(exact, currency, shape, locale=_locale(), decimal_quantization=False))


def percent(share: float | Decimal, digits: int = 1) -> str:
    """0.25 is 25 %."""
    return str(format_percent(round(Decimal(str(share)), digits + 2), locale=_locale(), decimal_quantization=False))


def _is_known(currency: str) -> bool:
    return currency.upper() in _locale().currency_symbols or currency.upper() in _locale().currencies


def _locale() -> Locale:
    return _parsed(get_language() or "en")


@lru_cache(maxsize=8)
def _parsed(code: str) -> Locale:
    return Locale.parse(to_locale(code))

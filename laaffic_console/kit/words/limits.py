"""A limit of money as people write it: one amount for every currency, or each with its own."""

import re
from collections.abc import Mapping
from decimal import Decimal

Limits = Decimal | dict[str, Decimal]

_plain = re.compile(r"\+?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")
_of_currency = re.compile(r"([A-Za-z]{3})[ :=]+([0-9]{1,20}(?:\.[0-9]{1,20})?)")


def read(given: str) -> Limits:
    """1000, or {"USD": 1000, "EUR": 900}; 0 means no limit. ValueError for anything else."""
    given = given.strip()
    if not given[:1].isalpha():
        return _amount(given or "0")
    found = [_of_currency.fullmatch(part.strip()) for part in given.split(",")]
    by_currency = {match[1].upper(): Decimal(match[2]) for match in found if match}
    if len(by_currency) != len(found) or not all(by_currency.values()):
        raise ValueError(given)
    return by_currency


def _amount(given: str) -> Decimal:
    """An amount in plain digits: an exponent could make a limit that nothing can be divided by."""
    if not _plain.fullmatch(given):
        raise ValueError(given)
    return Decimal(given)


def in_words(limits: Decimal | Mapping[str, Decimal] | int) -> str:
    """The limits as `read` takes them."""
    if isinstance(limits, Mapping):
        return ", ".join(f"{currency} {amount}" for currency, amount in limits.items())
    return str(limits)

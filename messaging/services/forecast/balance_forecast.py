"""What would be left on the account after a campaign."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from laaffic_console.gateway.services.account import balance_history
from messaging.services.reports.prices import Cost


@dataclass(frozen=True, slots=True)
class BalanceAfter:
    before: Decimal
    cost: Decimal
    currency: str
    spendable: Decimal  # with bonus and credit line
    as_of: dt.datetime
    is_named: bool  # the balance says its currency; else that of the prices is assumed, and the page says so

    @property
    def left(self) -> Decimal:
        return self.before - self.cost

    @property
    def is_enough(self) -> bool:
        return self.spendable >= self.cost


def of(cost: Cost) -> BalanceAfter | None:
    """None where it cannot be told: no balance, no price, or prices in other money than the balance.

    Laaffic's balance names no currency (laaffic-api#getbalance): where `LAAFFIC_BALANCE_CURRENCY` is empty too,
    it is assumed to be in that of the prices.
    """
    reading = balance_history.latest()
    if reading is None or len(cost.by_currency) != 1:
        return None
    ((currency, expected),) = cost.by_currency.items()
    if reading.currency not in ("", currency):
        return None
    spendable = reading.balance + (reading.gift or 0) + (reading.credit or 0)
    return BalanceAfter(reading.balance, expected, currency, spendable, reading.at, bool(reading.currency))

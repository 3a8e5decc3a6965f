"""What happens to the account itself: the gateway is below and tells those that have asked."""

from laaffic_console.events.kinds import Kind
from laaffic_console.events.services import outbox
from laaffic_console.gateway.models import BalanceReading
from laaffic_console.gateway.services.account import balance_history


def register() -> None:
    balance_history.tell_when_low(balance_low)


def balance_low(reading: BalanceReading, limit: object) -> None:
    said = {"balance": f"{reading.balance}", "currency": reading.currency, "limit": f"{limit}"}
    outbox.record(Kind.BALANCE_LOW, "account:balance", said, at=reading.at)

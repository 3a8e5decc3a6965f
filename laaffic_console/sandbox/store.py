"""Everything that the gateway accepted, in memory, in the order in which it came."""

import bisect
import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from laaffic_console.sandbox.fates import Country, Fate, country_of, fate_of, segments_of
from laaffic_console.sandbox.options import Options

ZONE = dt.timezone(dt.timedelta(hours=8))


@dataclass(slots=True)
class Submission:
    """One content to many numbers, as it was accepted."""

    app_id: str
    content: str
    sender_id: str
    segments: int
    accepted_at: float
    title: str = ""  # this and the next only for an MMS
    files: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Accepted:
    msg_id: str
    number: str
    order_id: str
    submission: Submission

    def country(self) -> Country:
        return country_of(self.number)

    def pay(self) -> Decimal:
        return self.country().price * self.submission.segments


def price_detail(accepted: Accepted) -> dict[str, Any]:
    country = accepted.country()
    return {
        "pay": str(accepted.pay()),
        "currency": country.currency,
        "chargeCnt": accepted.submission.segments,
        "price": str(country.price),
    }


class Store:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.messages: list[Accepted] = []
        self.by_id: dict[str, Accepted] = {}
        self.calls: Counter[str] = Counter()
        self.pushes: Counter[str] = Counter()
        self.spent = Decimal(0)
        self.listeners: list[Callable[[list[Accepted]], None]] = []  # called with each acceptance
        self._numbers = itertools.count(1)

    def accept(
        self,
        app_id: str,
        numbers: list[str],
        content: str,
        sender_id: str,
        order_ids: list[str],
        now: float,
        **mms: Any,
    ) -> list[Accepted]:
        submission = Submission(app_id, content, sender_id, segments_of(content), now, **mms)
        prefix = dt.datetime.fromtimestamp(now, ZONE).strftime("%y%m%d%H%M%S")
        known = self._known(order_ids) if self.options.dedupe else {}
        fresh = [i for i, order_id in enumerate(order_ids) if order_id not in known]
        made = [Accepted(f"{prefix}{next(self._numbers):07d}", numbers[i], order_ids[i], submission) for i in fresh]
        self.messages += made
        self.by_id.update((accepted.msg_id, accepted) for accepted in made)
        if self.options.balance is not None:
            self.spent += sum((accepted.pay() for accepted in made), Decimal(0))
        for listener in self.listeners:
            listener(made)
        new = iter(made)
        return [known[order_id] if order_id in known else next(new) for order_id in order_ids] if known else made

    def _known(self, order_ids: list[str]) -> dict[str, Accepted]:
        wanted = set(order_ids) - {""}
        return {accepted.order_id: accepted for accepted in self.messages if accepted.order_id in wanted}

    def forget(self) -> None:
        self.messages, self.by_id = [], {}
        self.calls, self.pushes, self.spent = Counter(), Counter(), Decimal(0)

    def accepted_between(self, start: float, end: float) -> list[Accepted]:
        def moment(accepted: Accepted) -> float:
            return accepted.submission.accepted_at

        return self.messages[
            bisect.bisect_left(self.messages, start, key=moment) : bisect.bisect_left(self.messages, end, key=moment)
        ]

    def has_funds(self, contents: list[tuple[list[str], str]]) -> bool:
        """Whether the balance is enough for the whole call: each content to its numbers."""
        if self.options.balance is None:
            return True
        price = Decimal(0)
        for numbers, content in contents:
            price += sum((country_of(number).price for number in numbers), Decimal(0)) * segments_of(content)
        return self.spent + price <= Decimal(str(self.options.balance))

    def balance(self) -> Decimal:
        return Decimal(str(self.options.balance if self.options.balance is not None else 99999.99)) - self.spent

    def fate(self, accepted: Accepted) -> Fate:
        return fate_of(self.options.seed, accepted.number, self.options.delivery_rate)

    def due_at(self, accepted: Accepted) -> float:
        low, high = self.options.delivery_delay
        return accepted.submission.accepted_at + low + (high - low) * self.fate(accepted).delay

    def state(self, accepted: Accepted, now: float) -> str:
        """queued (getReport does not find it), sending, delivered or failed."""
        if now >= self.due_at(accepted):
            return "delivered" if self.fate(accepted).delivered else "failed"
        waited = now - accepted.submission.accepted_at
        return "queued" if waited < self.options.queue_time else "sending"

    def stats(self, now: float) -> dict[str, Any]:
        states = Counter(self.state(accepted, now) for accepted in self.messages)
        same_text = Counter((a.number, a.submission.content, a.submission.app_id) for a in self.messages)
        orders = Counter(a.order_id for a in self.messages if a.order_id)
        return {
            "calls": dict(self.calls),
            "accepted": len(self.messages),
            "delivered": states["delivered"],
            "failed": states["failed"],
            "pending": states["queued"] + states["sending"],
            "duplicates": {
                "number and text": sum(n - 1 for n in same_text.values()),
                "order id": sum(n - 1 for n in orders.values()),
            },
            "pushes": dict(self.pushes),
            "segments": sum(a.submission.segments for a in self.messages),
            "balance": str(self.balance()),
        }

    def as_json(self, accepted: Accepted, now: float) -> dict[str, Any]:
        fate = self.fate(accepted)
        state = self.state(accepted, now)
        return {
            "msg_id": accepted.msg_id,
            "number": accepted.number,
            "order_id": accepted.order_id,
            "app_id": accepted.submission.app_id,
            "sender_id": accepted.submission.sender_id,
            "content": accepted.submission.content,
            "segments": accepted.submission.segments,
            "accepted_at": accepted.submission.accepted_at,
            "state": state,
            "reason": fate.reason if state in ("delivered", "failed") else "",
            "price": str(accepted.country().price),
            "pay": str(accepted.pay()),
            "currency": accepted.country().currency,
            "title": accepted.submission.title,
            "files": accepted.submission.files,
        }

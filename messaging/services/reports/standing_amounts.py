"""Whose word on what a message cost stands: of all that name an amount, the best report's, whichever came first.

Amount, currency and segments are one value. A better state wins; of the same state, Laaffic's own word over a push,
else what came first. What is told of a message on its way is provisional, and of it the highest stands. A person's word
stays.

Mostly the amount is of the report whose state the message has, and its own columns say which that was. Where the better
reports name none, that of a worse one stands, and an event of the message says whose it is.
"""

import re
from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

from django.utils import timezone

from laaffic_console.laaffic import DeliveryReport
from messaging.models import EarlierAttempt, MessageEvent, MessageState
from messaging.services.reports.report_targets import PUSHED
from messaging.services.reports.reported_rows import Row

SOURCE = "amount so far"  # of the events that keep whose amount stands
PERSON = "amount"  # of the events that keep a person's word (amount_words.py)
MOST_SEGMENTS = 32767  # that the column holds
_told_with = re.compile(r"the cost was told (?P<own>by Laaffic itself )?with this state: (?P<state>\w+)")
_taken = re.compile(r"\S+ takes ")


class Amount(NamedTuple):
    micros: int
    currency: str
    segments: int | None


class Rank(NamedTuple):
    """How good a report is."""

    state: int
    is_own: bool  # Laaffic's own word: nothing proves where a push comes from (laaffic-api#pushes)


A_PERSONS = Rank(1000, is_own=True)


def of_report(report: DeliveryReport) -> Amount | None:
    if report.pay is None:
        return None
    return Amount(micros(report.pay), (report.currency or "")[:8], segments_of(report))


def of_row(row: Row) -> Amount | None:
    return None if row.pay_micros is None else Amount(row.pay_micros, row.currency, row.billed_segments)


def segments_of(report: DeliveryReport) -> int | None:
    return None if report.segments is None else min(report.segments, MOST_SEGMENTS)


def micros(amount: Decimal) -> int:
    return int((amount * 1_000_000).to_integral_value())


def rank(state: int, source: str) -> Rank:
    """Who told it on its way is kept nowhere, and what the console gave up on has heard nothing better."""
    if state < MessageState.UNDELIVERED:
        return Rank(MessageState.ACCEPTED, is_own=False)
    return Rank(state, is_own=source != "" and source not in PUSHED)


def rank_of(row: Row) -> Rank:
    """Of the report whose state the row has, and mostly of its amount too."""
    return rank(row.state, row.report_source)


def of_attempt(kept: EarlierAttempt) -> tuple[Amount, Rank] | None:
    """An earlier sending's amount and its rank, which is not kept of those from before there were any."""
    if kept.pay_micros is None:
        return None
    its_rank = Rank(kept.state, is_own=False) if kept.told_with is None else Rank(kept.told_with, kept.told_by_laaffic)
    return Amount(kept.pay_micros, kept.currency, kept.billed_segments), its_rank


def wins(told: Amount, rank_of_told: Rank, there: Amount, rank_of_there: Rank) -> bool:
    if rank_of_told == rank_of_there and rank_of_told.state == MessageState.ACCEPTED:
        return _in_order(told) > _in_order(there)
    return rank_of_told > rank_of_there


def _in_order(amount: Amount) -> tuple[int, str, int]:
    return amount.micros, amount.currency, amount.segments or 0


def kept(pks: Collection[int]) -> dict[int, Rank]:
    """{message: the rank of its amount}, of those whose own columns do not say it."""
    found: dict[int, Rank] = {}
    events = MessageEvent.objects.filter(message_id__in=pks, source__in=[SOURCE, PERSON]).order_by()
    for pk, source, text in events.values_list("message_id", "source", "text"):
        if (told := _read(source, text)) is not None:
            found[pk] = max(told, found.get(pk, told))  # a worse amount never comes after a better one
    return found


def _read(source: str, text: str) -> Rank | None:
    if source == PERSON:
        return A_PERSONS if _taken.match(text) else None
    found = _told_with.fullmatch(text)
    return Rank(MessageState[found["state"].upper()], is_own=bool(found["own"])) if found else None


def event(pk: int, its_rank: Rank) -> MessageEvent:
    """Keep whose the amount of a message is, beside a state that others reported."""
    by = "by Laaffic itself " if its_rank.is_own else ""
    said = f"the cost was told {by}with this state: {MessageState(its_rank.state).name.capitalize()}"
    return MessageEvent(message_id=pk, at=timezone.now(), source=SOURCE, text=said)

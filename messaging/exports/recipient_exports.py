"""The recipients of a campaign as rows for a file: what happened to each, what it cost, and how that is known.

A campaign's messages lie in its batches, next to each other by primary key. So they are read by stretches of that key,
a few batches at a time: a million rows take no more memory than ten thousand, and no query outlives its stretch.
"""

import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from django.conf import settings

from laaffic_console.kit.lists import walks
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words.stored_words import in_words, reason_in_words
from messaging.models import Batch, BatchState, Campaign, Contact, EarlierAttempt, Message, MessageState
from messaging.services.batches import answers, batch_texts
from messaging.services.batches.own_segments import OwnSegments
from messaging.services.channels import channels
from messaging.text import merge_fields
from messaging.wire.order_ids import order_id

WINDOW = 5000  # messages
LOOSE = 4  # a stretch of the key may hold so many times its messages: others froze their audience at the same time
KNOWN = 10_000  # different amounts and reasons that are kept in words

# A contract with scripts: a file begins with exactly these.
COLUMNS = [
    "number",
    masks.Typed("name"),
    "state",
    masks.Typed("reason"),
    "segments",
    "billed_segments",
    "cost",
    "currency",
]
COLUMNS += ["accepted_at", "reported_at"]
FURTHER = ["country", "attempt", "claimed_at", "left_at", "answered_at", masks.Typed("evidence")]
FURTHER += ["report_came_by", "gateway_id"]
FURTHER += ["order_id", "earlier_attempts", "earlier_cost", "earlier_currency"]
VALUE = "value."  # before the name of a merge field

Row = list[Any]
STORED = ["pk", "batch_id", "contact_id", "number", "country", "merge_values", "state", "segments", "attempt"]
STORED += ["gateway_id", "settled_at", "reported_at", "report_source", "reason", "evidence", "billed_segments"]
STORED += ["pay_micros", "currency"]


class _Stored(NamedTuple):
    pk: int
    batch_id: int
    contact_id: int | None
    number: str
    country: str
    merge_values: dict[str, Any] | None
    state: int
    segments: int
    attempt: int
    gateway_id: str | None
    settled_at: dt.datetime | None
    reported_at: dt.datetime | None
    report_source: str
    reason: str
    evidence: str
    billed_segments: int | None
    pay_micros: int | None
    currency: str


_KEYS = {int(state): state.key for state in MessageState}
QUEUED, ACCEPTED = int(MessageState.QUEUED), int(MessageState.ACCEPTED)
_IN_BATCH = {BatchState.CLAIMED.value: int(MessageState.CLAIMED), BatchState.SETTLED.value: ACCEPTED}


def rows(campaign: Campaign, *, with_names: bool = True) -> Iterator[Row]:
    """The header and then a row each, in the order of the audience.

    Without names what is known of people beside their numbers stays empty: their names and their merge values.
    """
    fields = merge_fields.parse(channels.texts_of(campaign)).fields
    yield [*COLUMNS, *FURTHER, *(_value_header(name) for name in fields)]
    own = OwnSegments(campaign)
    words = functools.lru_cache(maxsize=KNOWN)(reason_in_words)
    prefix, nothing = settings.LAAFFIC_ORDER_PREFIX, [""] * len(fields)
    for batches in windows(campaign):
        told = answers.overlay(batches)
        messages = _messages(batches)
        names = _names(messages) if with_names else {}
        earlier = _earlier(messages)
        times = {pk: (batch.claimed_at, batch.entry.left_at if batch.entry else None) for pk, batch in batches.items()}
        for message in messages:
            state, gateway_id, counted = message.state, message.gateway_id, message.segments
            settled_at = message.settled_at
            if state == QUEUED:
                state = _IN_BATCH.get(batches[message.batch_id].state, QUEUED)
                if answered := told.get(message.pk):
                    gateway_id, counted, settled_at = answered
            was_accepted = state >= ACCEPTED
            yield [
                message.number,
                names.get(message.contact_id, ""),
                _KEYS[state],
                words(message.reason),
                counted if was_accepted else own.of(message.merge_values, message.segments),
                message.billed_segments,
                amount(message.pay_micros),
                message.currency,
                settled_at if was_accepted else None,
                message.reported_at,
                message.country,
                message.attempt,
                *times[message.batch_id],
                settled_at,
                in_words(message.evidence),
                message.report_source,
                gateway_id,
                order_id(prefix, message.pk, message.attempt),
                *earlier.get(message.pk, _NEVER),
                *(_values(message, fields) if with_names else nothing),
            ]


def _value_header(name: str) -> str:
    header = f"{VALUE}{name}"
    return header if header in masks.COLUMNS else masks.Typed(header)


_NEVER: tuple[int | str, Decimal | str, str] = ("", "", "")


def windows(campaign: Campaign) -> Iterator[dict[int, Batch]]:
    """Batches that lie close together, by rising id, of about so many messages."""
    batches = Batch.objects.filter(campaign=campaign).select_related("entry")
    window: dict[int, Batch] = {}
    size = 0
    for chunk in walks.rising(batches, 200, attrgetter("pk")):
        for batch in chunk:
            if window and not _fits(window, size, batch):
                yield window
                window, size = {}, 0
            window[batch.pk] = batch
            size += batch.size
    if window:
        yield window


def _fits(window: dict[int, Batch], size: int, batch: Batch) -> bool:
    size += batch.size
    ends = [*window.values(), batch]
    span = max(one.last_message_id for one in ends) - min(one.first_message_id for one in ends)
    return size <= WINDOW and span <= LOOSE * size


def _messages(batches: dict[int, Batch]) -> list[_Stored]:
    first = min(batch.first_message_id for batch in batches.values())
    last = max(batch.last_message_id for batch in batches.values())
    found = Message.objects.filter(pk__gte=first, pk__lte=last, batch_id__in=list(batches)).order_by("pk")
    return [_Stored._make(values) for values in found.values_list(*STORED)]


def _names(messages: Sequence[_Stored]) -> dict[int | None, str]:
    """What the contacts are called now; one that was deleted has no name."""
    wanted = sorted({message.contact_id for message in messages if message.contact_id is not None})
    if not wanted:
        return {}
    named = Contact.objects.filter(pk__gte=wanted[0], pk__lte=wanted[-1])
    if wanted[-1] - wanted[0] > LOOSE * len(wanted):
        named = Contact.objects.filter(pk__in=wanted)
    return dict(named.values_list("pk", "name"))


def _earlier(messages: Sequence[_Stored]) -> dict[int, tuple[int | str, Decimal | str, str]]:
    """{message: (how many sendings there were before the last that something was heard of, their cost, currency)}"""
    again = [message.pk for message in messages if message.attempt > 1]
    if not again:
        return {}
    heard = EarlierAttempt.objects.filter(message_id__in=again).order_by("message_id", "attempt")
    n: Counter[int] = Counter()
    paid: dict[int, Counter[str]] = defaultdict(Counter)
    for pk, micros, currency in heard.values_list("message_id", "pay_micros", "currency"):
        n[pk] += 1
        if micros is not None:
            paid[pk][currency] += micros
    return {pk: (n[pk], *_cost(paid[pk])) for pk in n}


def _cost(paid: Mapping[str, int]) -> tuple[Decimal | str, str]:
    """The cells of cost and currency; with several currencies all of it is in the first, as in group calls' files."""
    told = [(currency, amount(micros) or Decimal(0)) for currency, micros in paid.items()]
    if len(told) > 1:
        return "; ".join(f"{cost} {currency}".strip() for currency, cost in told), ""
    return (told[0][1], told[0][0]) if told else ("", "")


def each_cost(cost: Decimal | str | None, currency: str) -> Iterator[tuple[str, Decimal]]:
    """(currency, amount) of each that two such cells name; what has no currency is in no sum."""
    if currency and cost:
        yield currency, Decimal(cost)
    elif isinstance(cost, str):
        for one in cost.split("; "):
            said, _blank, named = one.partition(" ")
            if named:
                yield named, Decimal(said)


@functools.lru_cache(maxsize=KNOWN)
def amount(micros: int | None) -> Decimal | None:
    """The billed amount (millionths) as a decimal without trailing zeros."""
    if micros is None:
        return None
    exact = Decimal(micros).scaleb(-6).normalize()
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact


def _values(message: _Stored, fields: Sequence[str]) -> list[str]:
    """What the text's fields said for this recipient, or would have said."""
    if message.merge_values is None:
        return [""] * len(fields)
    values = merge_fields.with_derived(batch_texts.as_values(message.merge_values))
    return [values.get(name, "") for name in fields]

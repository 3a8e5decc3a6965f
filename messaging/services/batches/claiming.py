"""Claiming: one short committed transaction takes a batch, checks it against the suppression list, keeps the pace and
writes the request into the ledger. Nothing has left when it ends."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services.account import account_hold, applications
from laaffic_console.gateway.services.database import database_clock, durability
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.gateway.services.work import pacing, workers
from laaffic_console.gateway.services.work.pacing import RateLimit
from laaffic_console.kit.sql.constant_sql import Given, Select, moment
from messaging.models import IS_OPEN_BATCH, Batch, BatchState, Campaign, CampaignState, HoldKind
from messaging.services.batches import limited_phones, written_off
from messaging.services.batches.batch_texts import texts_of
from messaging.services.batches.bulk_writes import give_to_requests, write_segments
from messaging.services.batches.carving import carve, carve_heads
from messaging.services.batches.queued_rows import (
    PerhapsReached,
    Row,
    let_wait,
    queued_messages,
    without_stopped,
    without_suppressed,
    without_waiting,
)
from messaging.services.channels import channels
from messaging.services.channels.outgoing import Claim, OutgoingText
from messaging.services.gates import gates
from messaging.services.gates.gates import Gate, Queued, Verdict
from messaging.services.tallies import gate_tallies
from messaging.wire.order_ids import order_ids


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to claim before this moment."""

    until: dt.datetime


class Stopped:
    """The campaign does not run any more."""


@dataclass(frozen=True, slots=True)
class Shut:
    """A gate lets nothing of the campaign through until a person has decided: it is to be held with this sentence."""

    because: str
    kind: HoldKind = HoldKind.OTHER


FREELY = 4  # batches locked before it is known how many are needed

TEXTS_CARVED = 12  # of a batch, in one transaction, where a request carries one text; CLAIMS_AHEAD batches at a time


def claim(campaign: Campaign, token: str) -> Claim | Wait | Stopped | Shut | None:
    """The next batch; Wait for the pace, None when nothing is queued, Stopped when the campaign is not running."""
    while (claimed := claim_some(campaign, token, 1)) == []:
        pass
    return claimed[0] if isinstance(claimed, list) else claimed


def claim_some(campaign: Campaign, token: str, at_most: int) -> list[Claim] | Wait | Stopped | Shut | None:
    """The next batches, in one transaction; only one at a time where a rate is to be kept.

    An empty list: everybody in them has opted out or waits for another hour, which is written. The caller asks again,
    in a transaction of its own, so that a long row of such batches never holds SQLite's lock.
    """
    try:
        return _claim_some(campaign, token, at_most)
    except PerhapsReached as those:
        written_off.write_off_waiting(those.batch_id, those.evidence)
        return []


@transaction.atomic
def _claim_some(campaign: Campaign, token: str, at_most: int) -> list[Claim] | Wait | Stopped | Shut | None:
    durability.relax()
    fresh = _as_it_is(campaign)
    if fresh[0] != CampaignState.RUNNING or fresh[3]:
        return Stopped()
    limits = rate_limits(campaign, fresh[1], fresh[2])
    at_once = channels.of(campaign).recipients_at_once
    batches = _next_queued(campaign, at_once, pacing.claims_at_once(limits, at_once, at_most))
    if not batches:
        return None
    if not fresh[4]:
        batches = [batch for batch in batches if not batch.queued]  # with nobody left to send to they only end
        if not batches:
            return Shut(applications.switched_off())
    pace = pacing.Pace(limits)
    if until := pace.wait_until:
        return Wait(until)
    if limits:
        # Nobody may be left in the first one: it is settled below, and takes nobody's turn.
        at_once = pacing.pacing_batch(limits, max(1, min(batches[0].queued, at_once)))
    batches = _of_at_most(at_once, batches, pacing.claims_at_once(limits, at_once, at_most))
    standing = gates.standing(campaign)
    rows = queued_messages(batches, channels.of(campaign).suppressed_on, named=bool(standing))
    loads = _loads(campaign, batches, rows, standing)
    if isinstance(loads, Shut):
        gate_tallies.move(campaign, standing)
        return loads
    pace.reserve(sum(len(load.rows) for load in loads))  # who has opted out takes nobody's turn
    claims = _take(campaign, loads, token)
    limited_phones.count_no_pauses([load.batch for load in loads])
    gate_tallies.move(campaign, standing)
    return claims


def _as_it_is(campaign: Campaign) -> tuple[Any, ...]:
    """Its state, its pace, its application's, whether the account is held, and whether its application is on."""
    for row in _standing.rows(campaign=campaign.pk):
        return row
    raise Campaign.DoesNotExist(campaign.pk)


@Select
def _standing() -> "QuerySet[Campaign, Any]":
    account_stops = Exists(account_hold.open_holds(OuterRef("application_id")))
    asked = Campaign.objects.filter(pk=Given("campaign"))
    return asked.values_list(
        "state", "rate_per_second", "application__rate_per_second", account_stops, "application__is_active"
    )


@dataclass(frozen=True, slots=True)
class _Load:
    """What a batch will carry."""

    batch: Batch
    rows: list[Row]
    texts: list[OutgoingText]


def _loads(
    campaign: Campaign, batches: Sequence[Batch], rows: Mapping[int, list[Row]], standing: Sequence[Gate]
) -> "list[_Load] | Shut":
    """What each batch will carry; the gates are asked for all of them at once where none makes anybody wait."""
    if (left := _all_at_once(batches, rows, standing)) is None:
        return _one_by_one(campaign, batches, rows, standing)
    loads = [load for batch in batches if (load := _filled(campaign, batch, left[batch.pk]))]
    _taken(standing, loads)
    return loads


def _all_at_once(
    batches: Sequence[Batch], rows: Mapping[int, list[Row]], standing: Sequence[Gate]
) -> dict[int, list[Row]] | None:
    """{batch id: rows that opt-outs and gates let through}. None, and nothing written, if a gate holds or makes wait.

    Asking a gate for four thousand at once costs little more than for a thousand.
    """
    looked_at: list[Queued] = []
    if standing:
        looked_at = [row for batch in batches for row in rows[batch.pk] if not row[4]]
    stopped: list[tuple[Gate, Mapping[int, str]]] = []
    for gate in standing:
        verdict = gate.look(looked_at) if looked_at else Verdict()
        if verdict.hold or verdict.waiting:
            return None
        if verdict.stopped:
            stopped.append((gate, verdict.stopped))
            looked_at = [one for one in looked_at if one.message_id not in verdict.stopped]
    for gate, those in stopped:
        gate.stopped += len(those)
    evidence = {pk: why for _gate, those in stopped for pk, why in those.items()}
    passed = {batch.pk: without_suppressed(batch, rows[batch.pk]) for batch in batches}
    if evidence:
        for batch in batches:
            those_of = {row[0]: evidence[row[0]] for row in passed[batch.pk] if row[0] in evidence}
            passed[batch.pk] = without_stopped(batch, passed[batch.pk], those_of)
    return passed


def _one_by_one(
    campaign: Campaign, batches: Sequence[Batch], rows: Mapping[int, list[Row]], standing: Sequence[Gate]
) -> "list[_Load] | Shut":
    """What each batch will carry, gates asked batch by batch: what fits before one shuts, or Shut if nothing does."""
    loads: list[_Load] = []
    for batch in batches:
        load = _load(campaign, batch, rows[batch.pk], standing)
        if isinstance(load, Shut):
            return loads or load  # what fits leaves; the next claim meets the gate by itself
        if load is not None:
            loads.append(load)
            _taken(standing, [load])
    return loads


def _taken(standing: Sequence[Gate], loads: "Sequence[_Load]") -> None:
    if not standing or not loads:
        return
    if any(gate.by_segments for gate in standing):
        write_segments([own for load in loads for own in _not_on_their_rows(load)])
    taken = {load.batch.pk: load.rows for load in loads}
    for gate in standing:
        gate.taken(taken)


def _not_on_their_rows(load: "_Load") -> Iterator[tuple[int, int]]:
    """(message, segments) of those whose row says another number than the text that leaves."""
    for text in load.texts:
        for position in text.positions:
            if load.rows[position][2] != text.segments:
                yield load.rows[position][0], text.segments


def _load(campaign: Campaign, batch: Batch, queued: list[Row], standing: Sequence[Gate]) -> "_Load | Shut | None":
    """None, and the batch settled, when nobody in it is to get it any more; None too when all of them wait."""
    rows = without_suppressed(batch, queued)
    for gate in standing:
        if not rows:
            break
        verdict = gate.look(rows)
        if verdict.hold:
            return Shut(verdict.hold, verdict.hold_kind)
        rows = without_stopped(batch, rows, verdict.stopped)
        gate.stopped += len(verdict.stopped)
        if rows and all(row[0] in verdict.waiting for row in rows):
            let_wait(batch, rows, verdict.waiting)
            return None
        rows = without_waiting(batch, rows, verdict.waiting)
    return _filled(campaign, batch, rows)


def _filled(campaign: Campaign, batch: Batch, rows: list[Row]) -> "_Load | None":
    """The batch with the texts of the remaining rows; None if no rows remain, and the batch is settled."""
    if not rows:
        Batch.objects.filter(pk=batch.pk).update(state=BatchState.SETTLED)
        return None
    texts = texts_of(campaign, rows)
    if len(texts) > 1 and not channels.of(campaign).takes_several_texts(campaign):
        return _only_first_text(batch, rows, texts)
    return _Load(batch, rows, texts)


def rate_limits(campaign: Campaign, own: int | None, of_application: int | None) -> list[RateLimit]:
    given = [
        (f"campaign:{campaign.pk}", own),
        (f"application:{campaign.application_id}", of_application),
    ]
    return [RateLimit(name, per_second) for name, per_second in given if per_second]


def _next_queued(campaign: Campaign, at_once: int, at_most: int) -> list[Batch]:
    """Batches for `at_most` requests of `at_once` recipients, locked; no more of them than are needed for that."""
    now = database_clock.in_statement()
    when, given = moment(now), {"campaign": campaign.pk, "now": now}
    found: list[Batch] = _waiting.objects(Batch, when, min(at_most, FREELY), after=0, **given)
    missing = at_most - sum(math.ceil(batch.queued / at_once) for batch in found)
    if missing > 0 and len(found) == FREELY:
        found += _waiting.objects(Batch, when, missing, after=found[-1].pk, **given)
    return found


@Select
def _waiting(now: Any, at_most: int) -> "QuerySet[Batch]":
    waiting = (
        Batch.objects.filter(
            IS_OPEN_BATCH.implied, campaign=Given("campaign"), state=BatchState.QUEUED, pk__gt=Given("after")
        )
        .filter(Q(not_before=None) | Q(not_before__lte=now))
        .order_by("id")
    )
    if connection.features.has_select_for_update_skip_locked:
        waiting = waiting.select_for_update(skip_locked=True)
    return waiting[:at_most]


def _of_at_most(at_once: int, batches: Sequence[Batch], at_most: int) -> list[Batch]:
    """The first `at_most` of these, those that are larger than a request carved into several."""
    found: list[Batch] = []
    for batch in batches:
        if len(found) >= at_most:
            break
        # None of a batch of which nobody is queued any more: it is settled when its rows are looked at.
        heads = max(0, min(at_most - len(found), math.ceil(batch.queued / at_once) - 1))
        found += carve_heads(batch, at_once, heads) if heads else []
        if len(found) < at_most:
            found.append(batch)  # what is left of it fits into a request
    return found


def _only_first_text(batch: Batch, rows: list[Row], texts: list[OutgoingText]) -> _Load:
    """Make each text a batch of its own, as a request carries only one; this claim goes on with the first.

    A batch of a thousand texts is taken apart over several claims: what is not carved yet stays queued as it is.
    """
    first, *others = texts[:TEXTS_CARVED]
    kept = [rows[position] for position in first.positions]
    for other in others:
        carve(batch, [rows[position][0] for position in other.positions])
    if len(texts) > TEXTS_CARVED:
        batch = carve(batch, [row[0] for row in kept])
    return _Load(batch, kept, [replace(first, positions=list(range(len(kept))))])


def _take(campaign: Campaign, loads: list[_Load], token: str) -> list[Claim]:
    """Write a request for each into the ledger and put the batches into this worker's hands."""
    if not loads:
        return []
    entries = ledger.prepare_all([_call(campaign, load) for load in loads])
    given = [(load.batch.pk, entry.pk) for load, entry in zip(loads, entries, strict=True)]
    give_to_requests(given, token=token, at=timezone.now())
    return [_claim(load, entry) for load, entry in zip(loads, entries, strict=True)]


def _call(campaign: Campaign, load: _Load) -> LedgerEntry:
    texts, rows = load.texts, load.rows
    return LedgerEntry(
        interface=channels.of(campaign).interface(len(texts)),
        application=campaign.application,
        about_kind="campaign",
        about_id=campaign.pk,
        summary={
            "batch": load.batch.pk,
            "recipients": len(rows),
            "texts": len(texts),
            "sender ID": campaign.sender_id,
            "messages": [rows[0][0], rows[-1][0]],
        },
        digest=ledger.digest_of(
            campaign.sender_id,
            *(part for text in texts for part in (text.text, text.title) if part),
            ",".join([row[1] for row in rows]),
        ),
        attempt=load.batch.attempt + 1,
        worker=workers.worker_name(),
    )


def _claim(load: _Load, entry: LedgerEntry) -> Claim:
    message_ids, numbers, _segments, attempts, *_others = zip(*load.rows, strict=True)
    return Claim(
        batch_id=load.batch.pk,
        entry_id=entry.pk,
        attempt=entry.attempt,
        message_ids=list(message_ids),
        numbers=list(numbers),
        attempts=list(attempts),
        texts=load.texts,
        order_ids=order_ids(settings.LAAFFIC_ORDER_PREFIX, message_ids, attempts),
    )


def release(claimed: Claim, why: str) -> bool:
    """Give back a batch whose request has not left; False when it may have."""
    with transaction.atomic():
        Batch.objects.select_for_update().get(pk=claimed.batch_id)  # before its request, as everywhere
        unsent = LedgerEntry.objects.filter(pk=claimed.entry_id, state=LedgerEntry.State.PREPARED)
        kept_back = known_by.console(why).columns()
        if not unsent.update(state=LedgerEntry.State.NOT_SENT, settled_at=timezone.now(), **kept_back):
            return False
        of_this = Batch.objects.filter(pk=claimed.batch_id, entry_id=claimed.entry_id)
        limited_phones.put_back(of_this, attempt=F("attempt") - 1)  # a refusal's wait grows with it
    return True

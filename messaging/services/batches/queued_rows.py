"""The rows of the batches that are claimed, and those among them that do not go: opted out, stopped, not yet."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.db import connection
from django.db.models import F

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.sql.sql_lists import among
from messaging.models import Batch, Message, MessageState
from messaging.services.batches import written_off
from messaging.services.batches.carving import carve
from messaging.services.gates.gates import Later, Queued
from messaging.services.saved_audiences import audience_sql

# Where no gate stands it is a plain tuple: naming a thousand takes longer than reading them, and nobody asks by name.
Row = Queued


class PerhapsReached(Exception):
    """Messages of a batch that do not go, and whose earlier sending may have arrived: {message: evidence}.

    They are written off by a transaction of their own: with it tallies are locked, which a claim may not.
    """

    def __init__(self, batch_id: int, evidence: Mapping[int, str]) -> None:
        super().__init__(batch_id, evidence)
        self.batch_id, self.evidence = batch_id, evidence


def queued_messages(
    batches: Sequence[Batch], suppressed_on: tuple[str, str, str], *, named: bool = False
) -> dict[int, list[Row]]:
    """The batches' queued messages by rising id, in one statement; `named`: each as `Queued`, for the gates.

    Single messages are found by their ids together: so many parts of one statement would take longer to plan than to
    run.
    """
    found: dict[int, list[Row]] = {batch.pk: [] for batch in batches}
    suppressed, stopping = audience_sql.suppressed("m", suppressed_on)
    select = (
        f"SELECT m.id, m.number, m.segments, m.attempt, {suppressed}, m.merge_values, m.batch_id, m.country "
        "FROM messaging_message m WHERE"
    )
    parts: list[str] = []
    params: list[Any] = []
    singles: dict[int, int] = {}
    for batch in batches:
        if batch.first_message_id == batch.last_message_id:
            singles[batch.first_message_id] = batch.pk
        else:
            parts.append(f"{select} m.id >= %s AND m.id <= %s AND m.batch_id = %s AND m.state = %s")
            params += [*stopping, batch.first_message_id, batch.last_message_id, batch.pk, MessageState.QUEUED]
    if singles:
        (is_one, ids), (in_one, batch_ids) = among(singles), among(singles.values())
        parts.append(f"{select} m.id {is_one} AND m.batch_id {in_one} AND m.state = %s")
        params += [*stopping, ids, batch_ids, MessageState.QUEUED]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts) + " ORDER BY 1", params)
        rows = cast("list[Row]", cursor.fetchall())
    for row in map(Queued._make, rows) if named else rows:
        found[row[6]].append(row)
    return found


SUPPRESSED = "on the suppression list when its batch was claimed"


def without_suppressed(batch: Batch, rows: list[Row]) -> list[Row]:
    """Opt-out wins: looked at again here, in the transaction that would let the message go (laws#opt-out-wins)."""
    stopped = [row[0] for row in rows if row[4]]
    if not stopped:
        return rows
    _require_unsent(batch, rows, dict.fromkeys(stopped, SUPPRESSED))
    Message.objects.filter(pk__in=stopped).update(state=MessageState.SUPPRESSED, evidence=SUPPRESSED)
    Batch.objects.filter(pk=batch.pk).update(
        queued=F("queued") - len(stopped), suppressed=F("suppressed") + len(stopped)
    )
    return [row for row in rows if not row[4]]


def without_stopped(batch: Batch, rows: list[Row], stopped: Mapping[int, str]) -> list[Row]:
    """The rows that can go; those that a gate has stopped for good are cancelled, with the reason as evidence."""
    if not stopped:
        return rows
    _require_unsent(batch, rows, stopped)
    by_evidence: dict[str, list[int]] = {}
    for message_id, evidence in stopped.items():
        by_evidence.setdefault(evidence[:200], []).append(message_id)
    for evidence, ids in by_evidence.items():
        Message.objects.filter(pk__in=ids).update(state=MessageState.CANCELLED, evidence=evidence)
    Batch.objects.filter(pk=batch.pk).update(queued=F("queued") - len(stopped), cancelled=F("cancelled") + len(stopped))
    return [row for row in rows if row[0] not in stopped]


def _require_unsent(batch: Batch, rows: Sequence[Row], stopped: Mapping[int, str]) -> None:
    """Neither suppressed nor cancelled is who may have got it already: PerhapsReached, before anything is written."""
    if again := [row[0] for row in rows if row[3] > 1 and row[0] in stopped]:
        had = written_off.had_perhaps(Message.objects.filter(pk__in=again))
        if had:
            raise PerhapsReached(batch.pk, {pk: stopped[pk] for pk in had})


def without_waiting(batch: Batch, rows: list[Row], waiting: Mapping[int, Later]) -> list[Row]:
    """The rows that can go now; waiting ones are moved into batches of their own, one for each moment and reason."""
    if not waiting:
        return rows
    for later, ids in _by_moment(rows, waiting).items():
        part = carve(batch, ids)
        Batch.objects.filter(pk=part.pk).update(not_before=later.until, waits_for=later.why[:60])
    return [row for row in rows if row[0] not in waiting]


def let_wait(batch: Batch, rows: list[Row], waiting: Mapping[int, Later]) -> None:
    """Nobody in the batch may get it now: it stays as it is, less those that wait for another moment than its first."""
    (first, _ids), *others = _by_moment(rows, waiting).items()
    without_waiting(batch, rows, {message_id: later for later, ids in others for message_id in ids})
    Batch.objects.filter(pk=batch.pk).update(not_before=first.until, waits_for=first.why[:60])
    if batch.limited_since and first.until:  # closed hours are none in which its phone's limit is tried
        put_off_by = first.until - (batch.not_before or database_clock.now())
        Batch.objects.filter(pk=batch.pk).update(limited_since=F("limited_since") + put_off_by)


def _by_moment(rows: Sequence[Row], waiting: Mapping[int, Later]) -> dict[Later, list[int]]:
    found: dict[Later, list[int]] = {}
    for row in rows:
        if row[0] in waiting:
            found.setdefault(waiting[row[0]], []).append(row[0])
    return found

"""When no answer comes: a batch's messages are unknown, at once or after the death of the sender that waited for it."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.laaffic import SIGNS_AGAIN_WITHIN
from messaging.models import IS_OPEN_BATCH, Batch, BatchState, MessageState
from messaging.services.batches import limited_phones
from messaging.services.tallies import sent_tallies

FIRST_CHECK = dt.timedelta(seconds=30)
WAITING = (MessageState.QUEUED, MessageState.UNKNOWN)  # for this answer, or for what speaks in its place
# A request that left may still be answered while its worker lives; the client gives up well before this.
ANSWER_GRACE = ledger.LEAVES_WITHIN + dt.timedelta(seconds=SIGNS_AGAIN_WITHIN + sum(settings.LAAFFIC_TIMEOUTS))


def mark_unknown(batch: Batch, evidence: str) -> None:
    """The answer was lost. Only evidence or a person ends this state (laws#unknown-stays)."""
    waiting = batch.messages().filter(state=MessageState.QUEUED)
    now = timezone.now()
    marked = waiting.update(state=MessageState.UNKNOWN, evidence=evidence[:200], settled_at=now)
    Batch.objects.filter(pk=batch.pk).update(
        state=BatchState.UNKNOWN if marked or batch.unknown else BatchState.SETTLED,
        queued=F("queued") - marked,
        unknown=F("unknown") + marked,
        next_check_at=database_clock.in_statement() + FIRST_CHECK,
        checks=0,
    )


def recover_stale(campaign_id: int, token: str) -> int:
    """Under a fresh sender's lease: what a dead one had claimed. The row says which way it went."""
    stale = _claimed_by_others.rows(campaign=campaign_id, token=token)
    for batch_id, entry_id, left_at in stale:
        _recover(batch_id, entry_id, left_at)
    return len(stale)


@Select
def _claimed_by_others() -> "QuerySet[Batch, Any]":
    claimed = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign=Given("campaign"), state=BatchState.CLAIMED)
    return claimed.exclude(token=Given("token")).order_by("id").values_list("pk", "entry_id", "entry__left_at")


@transaction.atomic
def _recover(batch_id: int, entry_id: int, left_at: dt.datetime | None) -> None:
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.state != BatchState.CLAIMED or batch.entry_id != entry_id:
        return
    now = timezone.now()
    entries = LedgerEntry.objects.filter(pk=entry_id)
    died = known_by.console("its worker died before the request left")
    unsent = entries.filter(state=EntryState.PREPARED)
    if unsent.update(state=EntryState.NOT_SENT, settled_at=now, **died.columns()):
        limited_phones.put_back(Batch.objects.filter(pk=batch_id), attempt=F("attempt") - 1)
        return
    entry = entries.get()
    # What lies further ahead was written by a clock that was wrong. If its worker lives after all, the answer counts.
    if entry.left_at and abs(now - entry.left_at) < ANSWER_GRACE and left_at:
        return
    lost = known_by.no_answer("its worker died after the request may have left; the answer was lost")
    in_flight = entries.filter(state=EntryState.IN_FLIGHT)
    if in_flight.update(state=EntryState.UNKNOWN, settled_at=now, **lost.columns()):
        with sent_tallies.following(batch):
            mark_unknown(batch, lost.words)

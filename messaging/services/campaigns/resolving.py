"""A person's decision on messages that evidence could not settle: send again, or write off. Both note who and why.

`seen`: when the last answer was lost that this person was shown (`unknown.newest`). Messages lost later, or sent again
and lost again since, are left as they are; without `seen` the decision is about all.
"""

import datetime as dt

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import known_by
from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from messaging.models import (
    IS_OPEN_BATCH,
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    Message,
    MessageEvent,
    MessageState,
)
from messaging.services import events, steps
from messaging.services.batches import written_off
from messaging.services.budgets import shares
from messaging.services.campaigns import campaigns
from messaging.services.tallies import sent_tallies


def send_again(campaign_id: int, *, reason: str, by: User | None = None, seen: dt.datetime | None = None) -> int:
    """Queue unknown messages again, under order ids of a new attempt; how many. NotNow where none may leave."""
    _check(reason)
    _require_not_cancelled(campaign_id)
    total = 0
    for batch_id in _unknown_batches(campaign_id, seen):
        total += _queue_again(batch_id, reason, by, seen)
    if total:
        said = ngettext(
            "%(n)d unknown message sent again: %(why)s", "%(n)d unknown messages sent again: %(why)s", total
        )
        _told(campaign_id, said % {"n": total, "why": reason}, by)
        campaigns.wake(campaign_id)
    if is_cancelled(campaign_id):  # since then: what was queued after it had been emptied goes the same way
        campaigns.cancel_all_waiting(campaign_id)
    return total


def is_cancelled(campaign_id: int) -> bool:
    return Campaign.objects.filter(pk=campaign_id, state=CampaignState.CANCELLED).exists()


def _require_not_cancelled(campaign_id: int) -> None:
    if is_cancelled(campaign_id):
        raise NotNow(_("This campaign is cancelled, so nothing of it is sent again. Write the unknown messages off."))


def write_off(campaign_id: int, *, reason: str, by: User | None = None, seen: dt.datetime | None = None) -> int:
    """Stop waiting for unknown messages: they expire. A late report still counts; how many."""
    _check(reason)
    total = 0
    for batch_id in _unknown_batches(campaign_id, seen):
        total += _expire(batch_id, reason, by, seen)
    if total:
        said = ngettext(
            "%(n)d unknown message written off: %(why)s", "%(n)d unknown messages written off: %(why)s", total
        )
        _told(campaign_id, said % {"n": total, "why": reason}, by)
        campaigns.finish_if_done(campaign_id)
    return total


def _check(reason: str) -> None:
    if is_blank(reason):
        raise ValidationError({"reason": _("Say why: it is kept with each message.")})


def _unknown_batches(campaign_id: int, seen: dt.datetime | None) -> list[int]:
    unknown = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign_id=campaign_id, state=BatchState.UNKNOWN)
    rows = unknown.order_by("pk").values_list("pk", "entry__settled_at")
    return [pk for pk, lost_at in rows if _is_meant(lost_at, seen)]


def _is_meant(lost_at: dt.datetime | None, seen: dt.datetime | None) -> bool:
    return seen is None or (lost_at is not None and lost_at <= seen)


def _locked(batch_id: int, seen: dt.datetime | None) -> Batch | None:
    """None: settled in the meantime, or sent again and lost again."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    lost_at = batch.entry.settled_at if batch.entry else None
    return batch if batch.state == BatchState.UNKNOWN and _is_meant(lost_at, seen) else None


@transaction.atomic
def _queue_again(batch_id: int, reason: str, by: User | None, seen: dt.datetime | None) -> int:
    batch = _locked(batch_id, seen)
    if batch is None:
        return 0
    ids = _note_each(batch, _("sent again: %(why)s") % {"why": reason}, by)
    shares.keep_for_good(batch, ids)
    with sent_tallies.following(batch):
        Message.objects.filter(pk__in=ids).update(
            state=MessageState.QUEUED, attempt=F("attempt") + 1, evidence="", settled_at=None
        )
        events.messages_moved(dict.fromkeys(ids, int(MessageState.UNKNOWN)))
    # The old call is not live any more: at most one call may carry a message (ledger#rules).
    LedgerEntry.objects.filter(pk=batch.entry_id or 0, state=EntryState.UNKNOWN).update(
        **known_by.person(_("given up by a person: %(why)s") % {"why": reason[:200]}).columns()
    )
    Batch.objects.filter(pk=batch_id).update(
        state=BatchState.QUEUED,
        unknown=0,
        queued=F("queued") + len(ids),
        entry=None,
        token="",
        not_before=None,
        limited_since=None,
    )
    return len(ids)


@transaction.atomic
def _expire(batch_id: int, reason: str, by: User | None, seen: dt.datetime | None) -> int:
    batch = _locked(batch_id, seen)
    if batch is None:
        return 0
    ids = _note_each(batch, _("written off: %(why)s") % {"why": reason}, by)
    written_off.write_off(batch, ids, was=MessageState.UNKNOWN, evidence=f"written off: {reason}")
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.SETTLED)
    return len(ids)


def _note_each(batch: Batch, text: str, by: User | None) -> list[int]:
    ids = list(batch.messages().filter(state=MessageState.UNKNOWN).order_by("pk").values_list("pk", flat=True))
    who = by.get_username() if by else _("the shell")
    now = timezone.now()
    MessageEvent.objects.bulk_create(
        [MessageEvent(message_id=pk, at=now, source=str(who)[:40], text=text[:300]) for pk in ids], batch_size=500
    )
    return ids


def _told(campaign_id: int, text: str, by: User | None) -> None:
    steps.note(Campaign.objects.get(pk=campaign_id), text, by, Act.SETTLED)

"""After a restore: nothing of what may have been sent since the backup is sent again by itself (laws#unknown-stays).

Between backup and restore campaigns went on, and the restored tables know nothing of it. So every campaign that is not
over is held, and each of its recipients who may have got it is unknown until evidence or a person settles that.
An email campaign is one request: that one is unknown, and the campaign with it.
"""

import datetime as dt

from django.db import transaction

from laaffic_console.gateway.models import Application, Channel, EntryState, LedgerEntry
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, restored
from laaffic_console.kit.words.said import gettext as _
from messaging.models import (
    IS_OPEN_BATCH,
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    EmailCampaign,
    HoldKind,
    MessageState,
    ReplyPull,
)
from messaging.services import steps
from messaging.services.audience import audience
from messaging.services.batches import own_segments, queued_rows, unanswered
from messaging.services.budgets import budget_gate
from messaging.services.channels import channels
from messaging.services.email import states as email_states
from messaging.services.gates.gates import Queued
from messaging.services.launching import restored_drafts
from messaging.services.replies import opt_in_questions
from messaging.services.tallies import counting, sent_tallies


def settle(since: dt.datetime, until: dt.datetime, *, has_forgotten: bool = False) -> dict[str, int]:
    """Hold what may go on, and call unknown what may have left; how many of each.

    `has_forgotten`: as `restored.with_forgotten` has it.
    """
    unknown = 0
    open_ones = Campaign.objects.exclude(state__in=(CampaignState.DRAFT, *counting.OVER)).order_by("pk")
    ids = list(open_ones.values_list("pk", flat=True))
    for campaign_id in ids:
        _freeze_whole(campaign_id, until)
        unknown += sum(_may_have_left_again(pk, until) for pk in _batches(campaign_id, BatchState.UNKNOWN))
        waiting = _batches(campaign_id, BatchState.QUEUED, BatchState.CLAIMED)
        unknown += sum(_may_have_left(pk, since, until) for pk in waiting)
        _hold(campaign_id, since, has_forgotten)
    emails = _hold_emails(since, until, has_forgotten)
    _read_replies_with_care(until)
    drafts = _tell_drafts(since)
    return {"held": len(ids) + emails, "unknown": unknown, "drafts": drafts}


def sentence(since: dt.datetime) -> str:
    return _(
        "The console was restored from a backup of %(when)s. What may have left since is unknown: see what is known, "
        "then resume it for the rest."
    ) % {"when": since}


def _freeze_whole(campaign_id: int, until: dt.datetime) -> None:
    """Freeze the rest of the audience: it may have been frozen and sent to since the backup, so each needs a row."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        starts_at = campaign.undo_until or campaign.scheduled_at
        if campaign.audience == Campaign.Audience.OPEN and (starts_at is None or starts_at <= until):
            audience.begin(campaign)
    while audience.freeze_chunk(campaign_id):
        pass


def _batches(campaign_id: int, *states: BatchState) -> list[int]:
    found = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign_id=campaign_id, state__in=states)
    return sorted(found.order_by().values_list("pk", flat=True))


@transaction.atomic
def _may_have_left_again(batch_id: int, until: dt.datetime) -> int:
    """Unknown at the backup: somebody may have had it sent again since, so its old window shows half of the truth."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.entry is not None:
        restored.widen(batch.entry, until)
    batch.messages().filter(state=MessageState.UNKNOWN).update(evidence=known_by.RESTORED)
    look_at = database_clock.in_statement() + unanswered.FIRST_CHECK
    Batch.objects.filter(pk=batch_id).update(claimed_at=until, next_check_at=look_at, checks=0)
    return batch.unknown


@transaction.atomic
def _may_have_left(batch_id: int, since: dt.datetime, until: dt.datetime) -> int:
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    rows = _rows(batch)
    entry = LedgerEntry.objects.filter(pk=batch.entry_id or 0).first()
    if batch.state == BatchState.CLAIMED and entry is not None and entry.state == EntryState.IN_FLIGHT:
        restored.widen(entry, until)
    else:
        if entry is not None and entry.state == EntryState.PREPARED:
            LedgerEntry.objects.filter(pk=entry.pk).update(state=EntryState.NOT_SENT, **known_by.restore().columns())
        entry = _request(batch)
        restored.note_all([entry], since, until)
    batch.entry, batch.claimed_at, batch.token = entry, until, ""
    batch.not_before, batch.waits_for = None, ""
    batch.attempt += 1
    batch.save(update_fields=["entry", "claimed_at", "token", "not_before", "waits_for", "attempt"])
    with sent_tallies.following(batch):
        unanswered.mark_unknown(batch, known_by.RESTORED)
    if budgets := budget_gate.of(batch.campaign):
        own_segments.write(batch.campaign, rows)
        budgets.may_have_left(batch, rows)
    return batch.queued


def _rows(batch: Batch) -> list[Queued]:
    """The batch's waiting messages, as a claim reads them for the gates."""
    audience_of = channels.of(batch.campaign).suppressed_on
    return queued_rows.queued_messages([batch], audience_of, named=True)[batch.pk]


def _request(batch: Batch) -> LedgerEntry:
    campaign = Campaign.objects.select_related("application").get(pk=batch.campaign_id)
    return LedgerEntry(
        interface=channels.of(campaign).interface(1),
        application=campaign.application,
        about_kind="campaign",
        about_id=campaign.pk,
        summary={"batch": batch.pk, "recipients": batch.queued, "sender ID": campaign.sender_id},
        attempt=batch.attempt + 1,
    )


def _hold(campaign_id: int, since: dt.datetime, has_forgotten: bool) -> None:
    """Hold it, whatever stopped it before: it then goes on neither when an account hold ends nor by the clock."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        # A campaign not begun may have become a draft since, and been launched at once: no row here could tell.
        reason = _to_come(since) if campaign.audience == Campaign.Audience.OPEN else sentence(since)
        reason = restored.with_forgotten(reason, has_forgotten)
        held = {"state": CampaignState.HELD, "hold_reason": reason, "hold_kind": HoldKind.RESTORED}
        Campaign.objects.filter(pk=campaign_id).update(**held, wait_reason="", account_hold=None, undo_until=None)
        steps.note(campaign, _("Held: %(reason)s") % {"reason": reason}, None)


def _read_replies_with_care(until: dt.datetime) -> None:
    """They are read again from the backup on: those who wrote START were asked then, and must not be asked again."""
    for application in Application.objects.filter(channel=Channel.SMS):
        ReplyPull.objects.update_or_create(
            application=application,
            defaults={"restored_at": until},
            create_defaults={"restored_at": until, "tried_at": until - dt.timedelta(days=1)},  # so it is due at once
        )
    opt_in_questions.end_restored(until)


def _hold_emails(since: dt.datetime, until: dt.datetime, has_forgotten: bool) -> int:
    """Call unknown the campaigns whose request may have left; hold for a person those whose time is still to come."""
    state = EmailCampaign.State
    waiting = EmailCampaign.objects.filter(state__in=[state.SCHEDULED, state.SENDING, state.HELD, state.UNKNOWN])
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    for campaign_id in ids:
        with transaction.atomic():
            campaign = steps.locked(EmailCampaign, campaign_id)
            if _is_to_come(campaign, until):
                said = restored.with_forgotten(_to_come(since), has_forgotten)
                email_states.hold(campaign, said, HoldKind.RESTORED)
            else:
                _email_may_have_left(campaign, since, until)
                said = restored.with_forgotten(_may_have_been_sent(since), has_forgotten)
                if campaign.state == state.UNKNOWN:
                    steps.note(campaign, said, None)
                else:
                    email_states.move(campaign, state.UNKNOWN, said, None)
    return len(ids)


def _to_come(since: dt.datetime) -> str:
    return _(
        "The console was restored from a backup of %(when)s. This may have been sent since: look at Laaffic before you "
        "resume it."
    ) % {"when": since}


def _may_have_been_sent(since: dt.datetime) -> str:
    return _(
        "The console was restored from a backup of %(when)s. This may have been sent since: a callback settles "
        "it, or you do by hand."
    ) % {"when": since}


def _is_to_come(campaign: EmailCampaign, until: dt.datetime) -> bool:
    """Whether its time is to come. Its state does not tell: a restore on PostgreSQL has held it by now (backups)."""
    if campaign.state == EmailCampaign.State.UNKNOWN or campaign.undo_until is not None:
        return False
    return campaign.scheduled_at is not None and campaign.scheduled_at > until


def _email_may_have_left(campaign: EmailCampaign, since: dt.datetime, until: dt.datetime) -> None:
    """Note that a request may have left, even if none was made or it was refused: it may have been sent again since."""
    under_way = (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.UNKNOWN)
    for entry in email_states.requests_of(campaign).filter(state__in=under_way):
        restored.widen(entry, until)
    if not email_states.may_have_arrived(campaign):
        email_states.note_missing(campaign, since, until)


def _tell_drafts(since: dt.datetime) -> int:
    """Nothing of a draft leaves without a person, who is asked why, as it may have been launched since."""
    said = _("Restored from a backup of %(when)s: it may have been launched since. Look at Laaffic before you do.")
    campaigns = Campaign.objects.filter(state=CampaignState.DRAFT).exclude(kind=Campaign.Kind.TEST)
    emails = EmailCampaign.objects.filter(state=EmailCampaign.State.DRAFT)
    every: list[Campaign | EmailCampaign] = [*campaigns, *emails]
    for draft in every:
        steps.note(draft, said % {"when": since}, None)
    for drafts in (campaigns, emails):
        restored_drafts.mark(drafts, said % {"when": since})
    return len(every)

"""What happens to an email campaign that was launched: cancelled, sent again, arrived, over."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, EvidenceKind, LedgerEntry
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.ledger import known_by, ledger, lost_requests, open_acts
from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from messaging.models import Delivery, EmailCampaign, EmailCampaignState, EmailMessage, HoldKind
from messaging.services import steps
from messaging.services.approvals import approval_rules
from messaging.services.email import counting as email_counting
from messaging.services.email import hours as email_hours
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from messaging.services.launching import undo

REQUESTED = (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.ACCEPTED)  # it leaves, or has left
# If the list's size is not known: after so long without a callback no more are expected.
QUIET = dt.timedelta(hours=1)


def cancel(campaign_id: int, *, by: User | None = None) -> EmailCampaign:
    """Cancel it, which is possible only before its request has left: Laaffic cannot take emails back.

    A repeat by a person's word can be cancelled until it leaves, whatever happened to the request before it.
    """
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        if campaign.state == EmailCampaignState.CANCELLED:
            return campaign
        waiting = [EmailCampaignState.SCHEDULED, EmailCampaignState.SENDING, EmailCampaignState.HELD]
        steps.require(campaign, waiting, _("cancelled: Laaffic has no way to take emails back"))
        has_request = campaign.entry is not None and campaign.entry.state in REQUESTED
        if has_request and not ledger.take_back(
            ledger.only(campaign.entry_id or 0), "cancelled before the request left"
        ):
            raise NotNow(_("Its request has left already; Laaffic has no way to take emails back."))
        was_repeated = email_states.may_have_arrived(campaign)
        said = _("Cancelled: the repeat did not leave; the first request may have arrived")
        email_states.move(campaign, EmailCampaignState.CANCELLED, said if was_repeated else _("Cancelled"), by)
    return campaign


def send_again(campaign_id: int, *, reason: str, by: User | None = None, seen: int | None = None) -> EmailCampaign:
    """A person's word on a lost answer. If the first request arrived after all, Laaffic should refuse this one.

    `seen`: the entry of the request that this person was shown; NotNow where another has left since.

    What a restore made unknown may never have had the approval that it needs: that is asked for as when it is resumed.
    """
    approval_rules.prepare(EmailCampaign, campaign_id, within_request=True)
    with transaction.atomic():
        campaign = _resolvable(campaign_id, reason, seen)
        if campaign.entry is not None and campaign.entry.evidence_kind == EvidenceKind.RESTORE:
            approval_rules.require(campaign)
        email_starting.start(campaign, _("Sent again after a lost answer: %(why)s") % {"why": reason}, by)
    return campaign


def write_off(campaign_id: int, *, reason: str, by: User | None = None, seen: int | None = None) -> EmailCampaign:
    """Stop waiting for a lost answer. A callback that comes later still counts. `seen`: as `send_again`."""
    with transaction.atomic():
        campaign = _resolvable(campaign_id, reason, seen)
        email_states.move(campaign, EmailCampaignState.CANCELLED, _("Written off: %(why)s") % {"why": reason}, by)
    return campaign


def _resolvable(campaign_id: int, reason: str, seen: int | None) -> EmailCampaign:
    if is_blank(reason):
        raise ValidationError({"reason": _("Say why: it is kept with the campaign.")})
    campaign = steps.locked(EmailCampaign, campaign_id)
    steps.require(campaign, [EmailCampaignState.UNKNOWN], _("settled by hand"))
    if seen is not None and (campaign.entry_id or 0) != seen:
        raise NotNow(_("Another request of it has left since you looked, and its answer was lost too: look again."))
    return campaign


def arrived(campaign: EmailCampaign, event: str) -> None:
    """Evidence that Laaffic has the request; under the campaign's lock. Repeated, it changes nothing."""
    if campaign.state in (EmailCampaignState.RUNNING, EmailCampaignState.FINISHED):
        return
    campaign.sent_at = campaign.sent_at or timezone.now()
    campaign.save(update_fields=["sent_at"])
    email_states.move(campaign, EmailCampaignState.RUNNING, event, None)


def reopen(campaign: EmailCampaign) -> None:
    """A callback after the end: there is something to wait for again."""
    if campaign.state == EmailCampaignState.FINISHED:
        email_states.move(campaign, EmailCampaignState.RUNNING, _("Running again: a callback came late"), None)


def finish_if_done(campaign_id: int) -> bool:
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        if campaign.state != EmailCampaignState.RUNNING or waits_for(campaign):
            return campaign.state == EmailCampaignState.FINISHED
        campaign.finished_at = timezone.now()
        campaign.save(update_fields=["finished_at"])
        email_states.move(
            campaign, EmailCampaignState.FINISHED, _("Finished: every email that was reported has ended"), None
        )
    return True


def waits_for(campaign: EmailCampaign) -> str:
    """What a running campaign waits for, in one sentence; "" when it is over (laws#finished-is-computed)."""
    counts = email_counting.counts(campaign)
    if counts["pending"]:
        return ngettext(
            "It is not known yet whether %(n)d email was delivered.",
            "It is not known yet whether %(n)d emails were delivered.",
            counts["pending"],
        ) % {"n": counts["pending"]}
    if campaign.receiver_count is not None and counts["total"] >= campaign.receiver_count > 0:
        return ""
    if is_past_window(campaign):
        return ""
    quiet_since = campaign.last_report_at
    if quiet_since and not campaign.receiver_count and timezone.now() - quiet_since > QUIET:
        return ""
    if campaign.receiver_count:
        return _("Laaffic has reported %(n)d of the %(all)d addresses on the list.") % {
            "n": counts["total"],
            "all": campaign.receiver_count,
        }
    if campaign.receiver_count == 0 and not counts["total"]:
        return _(
            "The list was empty as of the last look-up. If addresses were added since, Laaffic reports their emails."
        )
    return _("Laaffic may still report more emails: how many are on the list is not known.")


def is_past_window(campaign: EmailCampaign, at: dt.datetime | None = None) -> bool:
    """Whether the reporting window of the mail that is on its way longest is over; without one, the campaign's own."""
    if campaign.sent_at is None:
        return False
    on_its_way = EmailMessage.objects.filter(campaign=campaign, delivery=Delivery.PENDING).order_by("pk")
    told_at = on_its_way.values_list("told_at", flat=True).first()
    return max(campaign.sent_at, told_at or campaign.sent_at) < (at or timezone.now()) - window()


def window() -> dt.timedelta:
    return dt.timedelta(hours=settings.REPORT_WINDOW_HOURS)


def note_second_task(campaign: EmailCampaign, task_id: str) -> None:
    said = _("Callbacks came for a second task, %(id)s: the emails may have gone out twice") % {"id": task_id[:64]}
    if not campaign.events.filter(text=said).exists():
        steps.note(campaign, said, None)


def _give_up_requests() -> None:
    """Give up open requests of campaigns that went on without them: no worker asks again, their process is dead."""
    over = [EmailCampaignState.RUNNING, *email_counting.OVER]
    ours = LedgerEntry.objects.filter(about_kind=email_states.ABOUT, interface=email_states.INTERFACE)
    lost_requests.give_up(ours.filter(about_id__in=EmailCampaign.objects.filter(state__in=over).values("pk")))


def _end_lost_requests() -> None:
    """Let requests without an answer lapse after a day if their campaign went on; a callback or answer still counts."""
    waiting = [EmailCampaignState.UNKNOWN, EmailCampaignState.SENDING, EmailCampaignState.HELD]
    going_on = EmailCampaign.objects.exclude(state__in=waiting)
    lost = LedgerEntry.objects.filter(
        about_kind=email_states.ABOUT, interface=email_states.INTERFACE, state=EntryState.UNKNOWN
    )
    lost = lost.filter(prepared_at__lt=timezone.now() - open_acts.WITHIN, about_id__in=going_on.values("pk"))
    for entry in lost[:500]:
        ledger.lapse(entry.pk, evidence=known_by.time("its campaign went on without it"))


@transaction.atomic
def _hold_after_end(campaign_id: int) -> None:
    """Hold at its latest end a campaign that waits for its hours or for another try, so that a person decides."""
    campaign = steps.locked(EmailCampaign, campaign_id)
    has_request = campaign.entry is not None and campaign.entry.state in REQUESTED
    if campaign.state != EmailCampaignState.SENDING or has_request:
        return
    if ended := email_hours.ended(campaign, database_clock.now()):
        email_states.hold(campaign, ended, HoldKind.LATEST_END)


def sweep() -> None:
    """Ring for whatever was forgotten: times that have come, requests that wait, campaigns that may be over."""
    _give_up_requests()
    _end_lost_requests()
    now = database_clock.now()
    due = EmailCampaign.objects.filter(undo.comes(now), state=EmailCampaignState.SCHEDULED)
    isolation.each(
        due.values_list("pk", flat=True), email_starting.start_scheduled, "start of email campaign {}".format
    )
    waiting = EmailCampaign.objects.filter(state=EmailCampaignState.SENDING)
    ended = waiting.filter(latest_end__lte=now)
    isolation.each(ended.values_list("pk", flat=True), _hold_after_end, "end of email campaign {}".format)
    for campaign in waiting.filter(waits_for_hours=True):
        if email_hours.opens_at(campaign, now) != campaign.not_before:  # its calendar was changed
            EmailCampaign.objects.filter(pk=campaign.pk, waits_for_hours=True).update(not_before=None)
    its_turn = Q(not_before=None) | Q(not_before__lte=now)
    for campaign_id in waiting.filter(its_turn).values_list("pk", flat=True):
        bell.ring(email_starting.SEND_JOB, campaign_id)
    running = EmailCampaign.objects.filter(state=EmailCampaignState.RUNNING).values_list("pk", flat=True)
    isolation.each(running, finish_if_done, "end of email campaign {}".format)

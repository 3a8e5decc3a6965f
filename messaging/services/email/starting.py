"""How an email campaign starts: launched, at its moment, taken back, resumed, outside its hours."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import PushKind
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client.account import require_configured
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.ledger import open_acts
from laaffic_console.gateway.services.work import bell, moments
from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from messaging.models import EmailCampaign, EmailCampaignState, EmailLookup, HoldKind
from messaging.services import steps
from messaging.services.approvals import approval_rules
from messaging.services.email import care as email_care
from messaging.services.email import choices as email_choices
from messaging.services.email import drafts as email_drafts
from messaging.services.email import hours as email_hours
from messaging.services.email import states as email_states
from messaging.services.gates import sending_hours
from messaging.services.launching import lateness, restored_drafts, undo
from messaging.services.refusals import EndNotAsked

SEND_JOB = "messaging.jobs.send_email_campaign"

MOMENT_JOB = "messaging.jobs.send_email_at_its_moment"

START_JOB = "messaging.jobs.start_launched_email"


def launch(
    campaign_id: int, *, by: User | None = None, seen: str | None = None, again: str = "", undo_seconds: float = 0
) -> EmailCampaign:
    """Send a draft, now or at its time. A second launch of the same campaign changes nothing.

    With `undo_seconds` its request is made so much later, and it can be taken back until then.
    `seen`: the digest of what a page showed; NotNow where that is not what would be sent.
    `again`: why it is sent although the same may have arrived, or is about to leave (StillOpen without it).
    """
    approval_rules.prepare(EmailCampaign, campaign_id, within_request=seen is not None)
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        started = (EmailCampaignState.SCHEDULED, EmailCampaignState.SENDING, EmailCampaignState.RUNNING)
        if campaign.state in started:
            return campaign
        steps.require(campaign, [EmailCampaignState.DRAFT], _("launched"))
        if seen is not None:
            email_drafts.require_as_shown(campaign, seen)
        check_ready(campaign)
        if seen is None and (passed := lateness.long_past(campaign.scheduled_at, lateness.allowed())):
            raise NotNow(passed)
        approval_rules.require(campaign)
        _require_care(campaign)
        if too_late := email_hours.begins_too_late(campaign):
            raise NotNow(too_late)
        _require_no_other(campaign, again, by)
        remember_choices(campaign)
        campaign.launched_by = by
        campaign.save(update_fields=["launched_by"])
        if undo.is_to_come(campaign.scheduled_at):
            email_states.move(campaign, EmailCampaignState.SCHEDULED, _("Scheduled"), by)
        elif undo_seconds > 0:
            _start_later(campaign, undo_seconds, by)
        else:
            start(campaign, _("Launched"), by)
    return campaign


def _require_care(campaign: EmailCampaign) -> None:
    """Somebody is there to be told; looked at once more when its request is recorded."""
    if stopped := email_care.stops(campaign, campaign.scheduled_at):
        raise NotNow(stopped)


def _start_later(campaign: EmailCampaign, seconds: float, by: User | None) -> None:
    said = _("Launched; it can be taken back for %(n)d s") % {"n": seconds}
    email_states.move(campaign, EmailCampaignState.SCHEDULED, said, by)
    campaign.undo_until = undo.until(seconds)
    campaign.save(update_fields=["undo_until"])


def launches_due(by: dt.datetime) -> list[tuple[int, dt.datetime]]:
    return undo.due(EmailCampaign.objects.filter(state=EmailCampaignState.SCHEDULED), by)


def start_launched(campaign_id: int) -> None:
    """Start a launch when its moment comes; the sweeper does what this forgets."""
    until = undo.moment_of(EmailCampaign.objects.filter(pk=campaign_id, state=EmailCampaignState.SCHEDULED))
    if until is not None and moments.wait_for(until):
        start_scheduled(campaign_id)


def requests_due(by: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """(campaign, its moment) of those whose request waits for its hours, or for another try."""
    waiting = EmailCampaign.objects.filter(state=EmailCampaignState.SENDING)
    rows = waiting.filter(moments.just_before("not_before", by)).order_by()
    return [(pk, moment) for pk, moment in rows.values_list("pk", "not_before") if moment is not None]


def take_back(campaign_id: int, *, by: User | None = None) -> EmailCampaign:
    """Make a draft again of what waits for its time or is held: of no request of it has anything left."""
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        if campaign.state == EmailCampaignState.DRAFT:
            return campaign
        if not (campaign.state == EmailCampaignState.SENDING and campaign.waits_for_hours):
            steps.require(campaign, [EmailCampaignState.SCHEDULED, EmailCampaignState.HELD], _("taken back"))
        arrived = _("Its first request may have arrived: it stays as it was sent. Cancel it instead.")
        _make_draft(campaign, _("Taken back before anything left"), by, unless_arrived=arrived)
    return campaign


def _require_no_other(campaign: EmailCampaign, again: str, by: User | None) -> None:
    """StillOpen unless `again` says why, if the same mail to the same list has an open request or is about to leave.

    Its own requests need no reason here: what may have arrived is sent again only if a person says so.
    """
    is_reason_given = bool(restored_drafts.reason_for(campaign, again))
    own = (email_states.ABOUT, campaign.pk)
    found = open_acts.require(email_drafts.digest_of(campaign), campaign.application, again=again, but=own)
    if not found and (waiting := _about_to_leave(campaign)):
        if is_blank(again):
            since = waiting.launched_at or waiting.created_at
            what = _("email campaign %(id)d") % {"id": waiting.pk}
            raise open_acts.StillOpen(what, since, is_waiting=True)
        found = {"email campaign": waiting.pk}
    if found or is_reason_given:
        steps.note(campaign, _("Launched all the same: %(reason)s") % {"reason": again.strip()}, by)


def needs_reason(campaign: EmailCampaign) -> bool:
    """Whether a launch of it, or another try, is refused without one as things stand."""
    own = (email_states.ABOUT, campaign.pk)
    opened = open_acts.like(email_drafts.digest_of(campaign), campaign.application, but=own)
    return opened is not None or _about_to_leave(campaign) is not None


def _about_to_leave(campaign: EmailCampaign) -> EmailCampaign | None:
    same = EmailCampaign.objects.filter(
        application=campaign.application,
        from_address=campaign.from_address,
        receiver_id=campaign.receiver_id,
        template_id=campaign.template_id,
        subject=campaign.subject,
    ).exclude(pk=campaign.pk)
    by_itself = Q(state__in=[EmailCampaignState.SCHEDULED, EmailCampaignState.SENDING])
    by_itself |= Q(state=EmailCampaignState.HELD, is_held_by_account=True)
    return same.filter(by_itself).order_by("-pk").first()


def check_ready(campaign: EmailCampaign) -> None:
    email_drafts.check_content(campaign)
    if not settings.LAAFFIC_PUSH_TOKENS:
        raise NotNow(
            _("Set LAAFFIC_PUSH_TOKENS first: without a token the console cannot learn what happened to the emails.")
        )
    require_configured()


def callback_url(campaign: EmailCampaign) -> str:
    """Where Laaffic tells of each mail. It holds the push token: never shown, logged or recorded."""
    names = [settings.LAAFFIC_PUSH_TOKENS[0], PushKind.EMAIL_REPORT.value, campaign.mark]
    return str(settings.CONSOLE_URL) + reverse("hooks:marked_push", args=names)


def remember_choices(campaign: EmailCampaign) -> None:
    """What the account said of list and template, as it stands now."""
    people = email_choices.known(campaign.application, EmailLookup.Kind.LIST, campaign.receiver_id)
    template = email_choices.known(campaign.application, EmailLookup.Kind.TEMPLATE, campaign.template_id)
    campaign.receiver_name = people.name if people else ""
    campaign.receiver_count = people.detail.get("count") if people else None
    campaign.template_name = template.name if template else ""
    campaign.save(update_fields=["receiver_name", "receiver_count", "template_name"])


def start(campaign: EmailCampaign, event: str, by: User | None) -> None:
    campaign.not_before, campaign.waits_for_hours = None, False
    campaign.launched_at = campaign.launched_at or timezone.now()
    campaign.save(update_fields=["not_before", "waits_for_hours", "launched_at"])
    email_states.move(campaign, EmailCampaignState.SENDING, event, by)
    bell.ring(SEND_JOB, campaign.pk)


def start_scheduled(campaign_id: int) -> None:
    approval_rules.prepare(EmailCampaign, campaign_id)
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        starts_at = campaign.undo_until or campaign.scheduled_at
        if campaign.state != EmailCampaignState.SCHEDULED or starts_at is None or undo.is_to_come(starts_at):
            return
        if late := lateness.too_late(starts_at, lateness.allowed()):
            email_states.hold(campaign, late, HoldKind.TOO_LATE)
            return
        event = _("It cannot be taken back any more") if campaign.undo_until else _("Launched: its time has come")
        _start_or_hold(campaign, event)


def _start_or_hold(campaign: EmailCampaign, event: str) -> None:
    """Start it, or hold it if its approval is missing: at its moment nobody is there to be told."""
    if missing := approval_rules.missing(campaign):
        email_states.hold(campaign, missing)
    else:
        start(campaign, event, None)


def resume(campaign_id: int, *, by: User | None = None, again: str = "", past_end: bool | None = None) -> EmailCampaign:
    """Ask Laaffic again after a refusal, or wait for its time again: it is certain that nothing was sent.

    `again`: why, although the same may have arrived by another campaign, or is about to leave (StillOpen without it).
    `past_end`: whether a page asked about its latest end; EndNotAsked where it did not and that holds it by now.
    """
    approval_rules.prepare(EmailCampaign, campaign_id, within_request=True)
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        steps.require(campaign, [EmailCampaignState.HELD], _("resumed"))
        steps.require_restored(campaign)
        if unasked := sending_hours.not_asked(campaign, past_end):
            raise EndNotAsked(unasked)
        if stopped_by := account_hold.stop_for(campaign.application_id):
            raise NotNow(steps.goes_on_by_itself(stopped_by))
        check_ready(campaign)
        approval_rules.require(campaign)
        _require_care(campaign)
        _require_no_other(campaign, again, by)
        _require_budget(campaign)
        if sending_hours.is_lifted(campaign, past_end):
            campaign.latest_end = None
            campaign.save(update_fields=["latest_end"])
            steps.note(campaign, _("Its latest end no longer counts"), by)
        _go_on(campaign, by)
    return campaign


def _require_budget(campaign: EmailCampaign) -> None:
    """A worker would hold it again at once, where nobody is told. What waits for its time may find another period."""
    if undo.is_to_come(campaign.scheduled_at):
        return
    leaves = email_hours.opens_at(campaign, timezone.now())
    if not email_states.may_have_arrived(campaign):
        remember_choices(campaign)  # its list may have been looked up since it was held
    if used_up := email_states.budgets_of(campaign).stop(leaves):
        raise NotNow(used_up)


def _go_on(campaign: EmailCampaign, by: User | None) -> None:
    if undo.is_to_come(campaign.scheduled_at):
        email_states.move(campaign, EmailCampaignState.SCHEDULED, _("Resumed: it waits for its time"), by)
    else:
        start(campaign, _("Resumed"), by)


def send_outside_hours(campaign_id: int, *, reason: str, by: User | None) -> EmailCampaign:
    """Once, for this campaign: its calendar does not keep it back. Who may say so the door asks."""
    if is_blank(reason):
        raise ValidationError(_("Say why it is sent outside its hours."))
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        steps.require(campaign, [EmailCampaignState.SENDING, EmailCampaignState.HELD], _("sent outside its hours"))
        if campaign.outside_hours:
            return campaign
        if not campaign.waits_for_hours and sending_hours.rules_of(campaign) is None:
            raise NotNow(sending_hours.has_no_hours())
        campaign.outside_hours = True
        columns = ["outside_hours"]
        if campaign.waits_for_hours:
            campaign.not_before, campaign.wait_reason, campaign.waits_for_hours = None, "", False
            columns += ["not_before", "wait_reason", "waits_for_hours"]
        campaign.save(update_fields=columns)
        said = _("Sent outside its hours: %(reason)s") % {"reason": reason.strip()}
        steps.note(campaign, said, by, Act.APPROVAL)
        if campaign.state == EmailCampaignState.SENDING:
            bell.ring(SEND_JOB, campaign.pk)
    return campaign


def edit_again(campaign_id: int, *, by: User | None = None) -> EmailCampaign:
    """Back to a draft: of what was refused, or waits for its time, nothing has been sent."""
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        steps.require(campaign, [EmailCampaignState.SCHEDULED, EmailCampaignState.HELD], _("edited"))
        arrived = _(
            "Its repeat was refused, but its first request may have arrived: it stays as it was sent. Try again, "
            "cancel it, or write a new campaign."
        )
        _make_draft(campaign, _("Back to a draft"), by, unless_arrived=arrived)
    return campaign


def _make_draft(campaign: EmailCampaign, event: str, by: User | None, *, unless_arrived: str) -> None:
    """Launched again it is as old as that launch. `unless_arrived`: what to say where a request may have arrived."""
    steps.require_restored(campaign)
    if email_states.may_have_arrived(campaign):
        raise NotNow(unless_arrived)
    campaign.launched_at = None
    campaign.save(update_fields=["launched_at"])
    email_states.move(campaign, EmailCampaignState.DRAFT, event, by, **restored_drafts.kept_mark(campaign))


def follow_account() -> None:
    """Let the campaigns go on that an account hold stopped, once the hold has ended."""
    held = EmailCampaign.objects.filter(
        account_hold.may_go_on(), state=EmailCampaignState.HELD, is_held_by_account=True
    )
    isolation.each(held.values_list("pk", flat=True), _follow, "going on of email campaign {}".format)


def _is_late(campaign: EmailCampaign) -> str:
    """A sentence if its time came during the hold and passed too long ago, else "".

    If it waited for its hours, or a person sent it late, only the time since the hold began counts as late.
    """
    if campaign.scheduled_at is None or email_states.may_have_arrived(campaign):
        return ""
    moments_of = (campaign.scheduled_at, campaign.not_before, account_hold.last_began(campaign.application_id))
    return lateness.too_late(max(at for at in moments_of if at is not None), lateness.allowed())


def _follow(campaign_id: int) -> None:
    if account_hold.is_held(EmailCampaign.objects.get(pk=campaign_id).application_id):
        return
    approval_rules.prepare(EmailCampaign, campaign_id)
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        is_held = campaign.state == EmailCampaignState.HELD and campaign.is_held_by_account
        if is_held and not account_hold.is_held(campaign.application_id):
            if late := _is_late(campaign):
                email_states.hold(campaign, late, HoldKind.TOO_LATE)
                return
            _start_or_hold(campaign, _("Resumed: Laaffic accepts again"))

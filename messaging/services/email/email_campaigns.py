"""What may be done to an email campaign, by whom it was done, and when it is over."""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Channel, EntryState, LedgerEntry, PushKind
from laaffic_console.gateway.services import account_hold, bell, database_clock, isolation, ledger, moments, open_acts
from laaffic_console.gateway.services.account import NotConfigured, laaffic_client
from laaffic_console.kit.acts import Act
from laaffic_console.kit.said import gettext as _
from laaffic_console.kit.said import ngettext
from laaffic_console.laaffic.email import MAX_SUBJECT
from messaging import merge_fields
from messaging.models import EmailCampaign, EmailCampaignState, EmailChoice, EmailLookup
from messaging.services import events, steps
from messaging.services.approvals import approval_rules, approvals
from messaging.services.email import email_care, email_counting, email_hours
from messaging.services.launching import undo
from messaging.services.refusals import NotAllowed
from messaging.services.reports.prices import Cost

ABOUT, INTERFACE = email_care.ABOUT, email_care.INTERFACE
SURELY_NOT = (EntryState.PREPARED, EntryState.REFUSED, EntryState.NOT_SENT)
SEND_JOB = "messaging.jobs.send_email_campaign"
MOMENT_JOB = "messaging.jobs.send_email_at_its_moment"
START_JOB = "messaging.jobs.start_launched_email"
# Where the list's size is not known, no callback for so long means that there is none to come.
QUIET = dt.timedelta(hours=1)


def create(*, by: User | None = None, **fields: Any) -> EmailCampaign:
    """A draft; ValidationError names the field that is wrong."""
    return save(EmailCampaign(**fields), by=by)


def save(campaign: EmailCampaign, *, columns: Iterable[str] = (), by: User | None = None) -> EmailCampaign:
    """Keep a new draft, or the `columns` of one that was edited; ValidationError names the field that is wrong.

    NotAllowed where it is no longer a draft.
    """
    check_content(campaign)  # first: the model says less of the same
    campaign.full_clean(exclude=["created_by", "mark"])
    with transaction.atomic():
        is_new = campaign.pk is None
        if is_new:
            campaign.created_by = by
            campaign.save()
        else:
            steps.require(steps.locked(EmailCampaign, campaign.pk), [EmailCampaignState.DRAFT], _("edited"))
            campaign.save(update_fields=set(columns))
        steps.kept(campaign, by, is_new=is_new)
        approvals.void_if_changed(campaign, by=by)
    return campaign


def check_content(campaign: EmailCampaign) -> None:
    """ValidationError for what Laaffic would refuse, each sentence at its field."""
    found = {
        "application": _problem_with_application(campaign),
        "from_address": _problem_with_address(campaign.from_address),
        "subject": problem_with_subject(campaign.subject),
        "receiver_id": _problem_with_id(campaign.receiver_id, _("Choose a recipient list, or write its id.")),
        "template_id": _problem_with_id(campaign.template_id, _("Choose a template, or write its id.")),
        "latest_end": _problem_with_end(campaign),
    }
    if problems := {field: sentence for field, sentence in found.items() if sentence}:
        raise ValidationError(problems)


def problem_with_subject(subject: str) -> str:
    if not subject.strip():
        return _("Write a subject: it is empty.")
    if any(not character.isprintable() for character in subject):
        return _("A subject is one line without control characters.")
    if problem := merge_fields.problem_where_none_are_filled_in(subject):
        return problem
    over = len(subject) - MAX_SUBJECT
    if over <= 0:
        return ""
    return ngettext(
        "The subject has %(n)d characters; at most %(limit)d are possible. Shorten it by one character.",
        "The subject has %(n)d characters; at most %(limit)d are possible. Shorten it by %(over)d characters.",
        over,
    ) % {"n": len(subject), "limit": MAX_SUBJECT, "over": over}


def _problem_with_application(campaign: EmailCampaign) -> str:
    application = campaign.application
    if application.channel != Channel.EMAIL:
        return _("%(app)s is an application for %(channel)s. Choose one for email.") % {
            "app": application,
            "channel": application.get_channel_display(),
        }
    return "" if application.is_active else _("This application is switched off.")


def _problem_with_end(campaign: EmailCampaign) -> str:
    if campaign.latest_end and campaign.scheduled_at and campaign.latest_end <= campaign.scheduled_at:
        return _("It would end before it starts. Choose a later moment, or leave it empty.")
    return ""


def _problem_with_address(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError:
        return _("“%(address)s” is not an email address.") % {"address": address[:80]}
    return ""


def _problem_with_id(given: str, lacking: str) -> str:
    if not given.strip():
        return lacking
    return _("An id holds no spaces.") if any(c.isspace() for c in given) else ""


# What a page before the launch shows, and the launch sends.
CONTENT = (
    *("application_id", "from_address", "receiver_id", "template_id", "subject", "language", "ad_flag", "trigger_id"),
    *("unsubscribe", "scheduled_at", "latest_end", "calendar_id", "purpose", "consent_known_by"),
)


def cost_of(campaign: EmailCampaign) -> Cost:
    """Not known: neither answers nor callbacks name a price."""
    return Cost([], {}, campaign.receiver_count or 0)


def shown_digest(campaign: EmailCampaign) -> str:
    """Of what is sent to whom, as far as it is known here: the list's and the template's details at Laaffic too."""
    chosen = EmailChoice.objects.filter(
        lookup__application=campaign.application_id,
        lookup__kind__in=[EmailLookup.Kind.LIST, EmailLookup.Kind.TEMPLATE],
        value__in=[campaign.receiver_id, campaign.template_id],
    )
    known = list(chosen.order_by("lookup__kind", "value", "pk").values_list("lookup__kind", "value", "name", "detail"))
    return ledger.digest_of(json.dumps([[getattr(campaign, name) for name in CONTENT], known], default=str))


def digest_of(campaign: EmailCampaign) -> str:
    """Of what reaches whom: with another mark for advertisements it is the same mail."""
    return ledger.digest_of(
        "email", campaign.from_address, campaign.receiver_id, campaign.template_id, campaign.subject
    )


def launch(
    campaign_id: int, *, by: User | None = None, seen: str | None = None, again: str = "", undo_seconds: float = 0
) -> EmailCampaign:
    """Send a draft, now or at its time. A second launch of the same campaign changes nothing.

    With `undo_seconds` its request is made so much later, and it can be taken back until then.
    `seen`: the digest of what a page showed; NotAllowed where that is not what would be sent.
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
            require_as_shown(campaign, seen)
        check_ready(campaign)
        approval_rules.require(campaign)
        _require_care(campaign)
        _require_no_other(campaign, again, by)
        _remember_choices(campaign)
        campaign.launched_by = by
        campaign.save(update_fields=["launched_by"])
        if campaign.scheduled_at and campaign.scheduled_at > timezone.now():
            move(campaign, EmailCampaignState.SCHEDULED, _("Scheduled"), by)
        elif undo_seconds > 0:
            _start_later(campaign, undo_seconds, by)
        else:
            _start(campaign, _("Launched"), by)
    return campaign


def _require_care(campaign: EmailCampaign) -> None:
    """Somebody is there to be told; looked at once more when its request is recorded."""
    if stopped := email_care.stops(campaign, campaign.scheduled_at):
        raise NotAllowed(stopped)


def require_as_shown(campaign: EmailCampaign, seen: str) -> None:
    if seen != shown_digest(campaign):
        raise NotAllowed(_("It was changed since the page was shown. Look at what it sends now, and launch it again."))


def _start_later(campaign: EmailCampaign, seconds: float, by: User | None) -> None:
    said = _("Launched; it can be taken back for %(n)d s") % {"n": seconds}
    move(campaign, EmailCampaignState.SCHEDULED, said, by)
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
    """Make a draft again of what waits for its time: its request is not made yet, so nothing has left."""
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        if campaign.state == EmailCampaignState.DRAFT:
            return campaign
        if not (campaign.state == EmailCampaignState.SENDING and campaign.waits_for_hours):
            steps.require(campaign, [EmailCampaignState.SCHEDULED], _("taken back"))
        if may_have_arrived(campaign):
            raise NotAllowed(_("Its first request may have arrived: it stays as it was sent. Cancel it instead."))
        move(campaign, EmailCampaignState.DRAFT, _("Taken back before anything left"), by)
    return campaign


def _require_no_other(campaign: EmailCampaign, again: str, by: User | None) -> None:
    """The same mail to the same list: requests without a known outcome, and campaigns whose request is yet to leave."""
    found = open_acts.require(digest_of(campaign), campaign.application, again=again)
    if not found and (waiting := _about_to_leave(campaign)):
        if not again.strip():
            since = waiting.launched_at or waiting.created_at
            raise open_acts.StillOpen(_("email campaign %(id)d") % {"id": waiting.pk}, since)
        found = {"email campaign": waiting.pk}
    if found:
        steps.note(campaign, _("Launched all the same: %(reason)s") % {"reason": again.strip()}, by)


def _about_to_leave(campaign: EmailCampaign) -> EmailCampaign | None:
    same = EmailCampaign.objects.filter(
        application=campaign.application,
        from_address=campaign.from_address,
        receiver_id=campaign.receiver_id,
        template_id=campaign.template_id,
        subject=campaign.subject,
    ).exclude(pk=campaign.pk)
    of_today = Q(state=EmailCampaignState.SENDING, launched_at__gte=timezone.now() - open_acts.WITHIN)
    return same.filter(of_today | Q(state=EmailCampaignState.SCHEDULED)).order_by("-pk").first()


def check_ready(campaign: EmailCampaign) -> None:
    check_content(campaign)
    if not settings.LAAFFIC_PUSH_TOKENS:
        raise ValidationError(
            _("Set LAAFFIC_PUSH_TOKENS first: without a token nobody can tell the console what became of the mails.")
        )
    try:
        laaffic_client()
    except NotConfigured as problem:
        raise ValidationError(str(problem)) from problem


def callback_url(campaign: EmailCampaign) -> str:
    """Where Laaffic tells of each mail. It holds the push token: never shown, logged or recorded."""
    names = [settings.LAAFFIC_PUSH_TOKENS[0], PushKind.EMAIL_REPORT.value, campaign.mark]
    return str(settings.CONSOLE_URL) + reverse("hooks:marked_push", args=names)


def _remember_choices(campaign: EmailCampaign) -> None:
    """What the account said of list and template, as it stands now."""
    for kind, value in (
        (EmailLookup.Kind.LIST, campaign.receiver_id),
        (EmailLookup.Kind.TEMPLATE, campaign.template_id),
    ):
        known = EmailChoice.objects.filter(
            lookup__application=campaign.application, lookup__kind=kind, value=value
        ).first()
        if kind == EmailLookup.Kind.LIST:
            campaign.receiver_name = known.name if known else ""
            campaign.receiver_count = known.detail.get("count") if known else None
        else:
            campaign.template_name = known.name if known else ""
    campaign.save(update_fields=["receiver_name", "receiver_count", "template_name"])


def _start(campaign: EmailCampaign, event: str, by: User | None) -> None:
    campaign.not_before, campaign.waits_for_hours = None, False
    campaign.launched_at = campaign.launched_at or timezone.now()
    campaign.save(update_fields=["not_before", "waits_for_hours", "launched_at"])
    move(campaign, EmailCampaignState.SENDING, event, by)
    bell.ring(SEND_JOB, campaign.pk)


def start_scheduled(campaign_id: int) -> None:
    approval_rules.prepare(EmailCampaign, campaign_id)
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        starts_at = campaign.undo_until or campaign.scheduled_at
        if campaign.state != EmailCampaignState.SCHEDULED or starts_at is None or starts_at > timezone.now():
            return
        event = _("It cannot be taken back any more") if campaign.undo_until else _("Launched: its time has come")
        _start_or_hold(campaign, event)


def _start_or_hold(campaign: EmailCampaign, event: str) -> None:
    """By the clock nobody is there to be told: what misses its approval by now is held."""
    if missing := approval_rules.missing(campaign):
        hold(campaign, missing)
    else:
        _start(campaign, event, None)


def resume(campaign_id: int, *, by: User | None = None) -> EmailCampaign:
    """Ask Laaffic again after a refusal: it is certain that nothing was sent."""
    approval_rules.prepare(EmailCampaign, campaign_id, within_request=True)
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        steps.require(campaign, [EmailCampaignState.HELD], _("resumed"))
        steps.require_restored(campaign)
        if stopped_by := account_hold.stop_for(campaign.application_id):
            raise NotAllowed(
                _("%(reason)s The campaign goes on by itself as soon as Laaffic accepts.")
                % {"reason": stopped_by.sentence}
            )
        check_ready(campaign)
        approval_rules.require(campaign)
        _require_care(campaign)
        if campaign.latest_end is not None and campaign.latest_end <= timezone.now():
            campaign.latest_end = None
            campaign.save(update_fields=["latest_end"])
            steps.note(campaign, _("Its latest end no longer counts"), by)
        _start(campaign, _("Resumed"), by)
    return campaign


def send_outside_hours(campaign_id: int, *, reason: str, by: User | None) -> EmailCampaign:
    """Once, for this campaign: its calendar does not keep it back. Who may say so the door asks."""
    if not reason.strip():
        raise ValidationError(_("Say why it is sent outside its hours."))
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        steps.require(campaign, [EmailCampaignState.SENDING, EmailCampaignState.HELD], _("sent outside its hours"))
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
        if may_have_arrived(campaign):
            raise NotAllowed(
                _(
                    "Its repeat was refused, but its first request may have arrived: it stays as it was sent. Try "
                    "again, cancel it, or write a new campaign."
                )
            )
        move(campaign, EmailCampaignState.DRAFT, _("Back to a draft"), by)
    return campaign


def requests_of(campaign: EmailCampaign) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(about_kind=ABOUT, about_id=campaign.pk, interface=INTERFACE)


def may_have_arrived(campaign: EmailCampaign) -> bool:
    """Whether one of its requests left without a certain no: a repeat that is refused says nothing about the first."""
    return requests_of(campaign).exclude(state__in=SURELY_NOT).exists()


def cancel(campaign_id: int, *, by: User | None = None) -> EmailCampaign:
    """Only before its request left: Laaffic has no way to take a batch back.

    A repeat by a person's word can be cancelled until it leaves, whatever became of the request before it.
    """
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        if campaign.state == EmailCampaignState.CANCELLED:
            return campaign
        waiting = [EmailCampaignState.SCHEDULED, EmailCampaignState.SENDING, EmailCampaignState.HELD]
        steps.require(campaign, waiting, _("cancelled: Laaffic has no way to take mails back"))
        if campaign.entry and campaign.entry.state in (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.ACCEPTED):
            stopped = LedgerEntry.objects.filter(pk=campaign.entry.pk, state=EntryState.PREPARED).update(
                state=EntryState.NOT_SENT, settled_at=timezone.now(), evidence="cancelled before the request left"
            )
            if not stopped:
                raise NotAllowed(_("Its request has left already; Laaffic has no way to take mails back."))
        was_repeated = may_have_arrived(campaign)
        said = _("Cancelled: the repeat did not leave; the first request may have arrived")
        move(campaign, EmailCampaignState.CANCELLED, said if was_repeated else _("Cancelled"), by)
    return campaign


def send_again(campaign_id: int, *, reason: str, by: User | None = None) -> EmailCampaign:
    """A person's word on a lost answer. If the first request arrived after all, Laaffic should refuse this one."""
    with transaction.atomic():
        campaign = _resolvable(campaign_id, reason)
        _start(campaign, _("Sent again after a lost answer: %(why)s") % {"why": reason}, by)
    return campaign


def write_off(campaign_id: int, *, reason: str, by: User | None = None) -> EmailCampaign:
    """Stop waiting for a lost answer. A callback that comes later still counts."""
    with transaction.atomic():
        campaign = _resolvable(campaign_id, reason)
        move(campaign, EmailCampaignState.CANCELLED, _("Written off: %(why)s") % {"why": reason}, by)
    return campaign


def _resolvable(campaign_id: int, reason: str) -> EmailCampaign:
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: it is kept with the campaign.")})
    campaign = steps.locked(EmailCampaign, campaign_id)
    steps.require(campaign, [EmailCampaignState.UNKNOWN], _("settled by a word"))
    return campaign


def hold(campaign: EmailCampaign, reason: str, *, by_account: bool = False) -> None:
    """The system's own stop, always with one sentence why; under the campaign's lock."""
    move(campaign, EmailCampaignState.HELD, _("Held: %(reason)s") % {"reason": reason}, None, hold_reason=reason)
    if by_account:
        campaign.is_held_by_account = True
        campaign.save(update_fields=["is_held_by_account"])


def follow_account() -> None:
    """What the account's hold stopped goes on when that has ended."""
    held = EmailCampaign.objects.filter(state=EmailCampaignState.HELD, is_held_by_account=True)
    isolation.each(held.values_list("pk", flat=True), _follow, "going on of email campaign {}".format)


def _follow(campaign_id: int) -> None:
    if account_hold.is_held(EmailCampaign.objects.get(pk=campaign_id).application_id):
        return
    approval_rules.prepare(EmailCampaign, campaign_id)
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        is_held = campaign.state == EmailCampaignState.HELD and campaign.is_held_by_account
        if is_held and not account_hold.is_held(campaign.application_id):
            _start_or_hold(campaign, _("Resumed: Laaffic accepts again"))


def arrived(campaign: EmailCampaign, event: str) -> None:
    """Evidence that Laaffic has the request; under the campaign's lock. Repeated, it changes nothing."""
    if campaign.state in (EmailCampaignState.RUNNING, EmailCampaignState.FINISHED):
        return
    campaign.sent_at = campaign.sent_at or timezone.now()
    campaign.save(update_fields=["sent_at"])
    move(campaign, EmailCampaignState.RUNNING, event, None)


def reopen(campaign: EmailCampaign) -> None:
    """A callback after the end: there is something to wait for again."""
    if campaign.state == EmailCampaignState.FINISHED:
        move(campaign, EmailCampaignState.RUNNING, _("Running again: a callback came late"), None)


def finish_if_done(campaign_id: int) -> bool:
    with transaction.atomic():
        campaign = steps.locked(EmailCampaign, campaign_id)
        if campaign.state != EmailCampaignState.RUNNING or waits_for(campaign):
            return campaign.state == EmailCampaignState.FINISHED
        campaign.finished_at = timezone.now()
        campaign.save(update_fields=["finished_at"])
        move(campaign, EmailCampaignState.FINISHED, _("Finished: every mail that was told of has ended"), None)
    return True


def waits_for(campaign: EmailCampaign) -> str:
    """What a running campaign waits for, in one sentence; "" when it is over (laws#finished-is-computed)."""
    counts = email_counting.counts(campaign)
    if counts["pending"]:
        return ngettext(
            "It is not known yet whether %(n)d mail was delivered.",
            "It is not known yet whether %(n)d mails were delivered.",
            counts["pending"],
        ) % {"n": counts["pending"]}
    if campaign.receiver_count is not None and counts["total"] >= campaign.receiver_count > 0:
        return ""
    if is_past_window(campaign):
        return ""
    quiet_since = campaign.last_report_at
    if quiet_since and campaign.receiver_count is None and timezone.now() - quiet_since > QUIET:
        return ""
    if campaign.receiver_count:
        return _("Laaffic has told of %(n)d of the %(all)d addresses on the list.") % {
            "n": counts["total"],
            "all": campaign.receiver_count,
        }
    return _("Laaffic may still tell of further mails: how many are on the list is not known.")


def is_past_window(campaign: EmailCampaign) -> bool:
    window = dt.timedelta(hours=settings.REPORT_WINDOW_HOURS)
    return bool(campaign.sent_at and timezone.now() - campaign.sent_at > window)


def note_second_task(campaign: EmailCampaign, task_id: str) -> None:
    said = _("Callbacks came for a second task, %(id)s: the mails may have gone out twice") % {"id": task_id[:64]}
    if not campaign.events.filter(text=said).exists():
        steps.note(campaign, said, None)


def _end_lost_requests() -> None:
    """Of campaigns that went on without them, after a day; a callback or an answer still counts."""
    waiting = [EmailCampaignState.UNKNOWN, EmailCampaignState.SENDING, EmailCampaignState.HELD]
    going_on = EmailCampaign.objects.exclude(state__in=waiting)
    lost = LedgerEntry.objects.filter(about_kind=ABOUT, interface=INTERFACE, state=EntryState.UNKNOWN)
    lost = lost.filter(prepared_at__lt=timezone.now() - open_acts.WITHIN, about_id__in=going_on.values("pk"))
    for entry in lost[:500]:
        ledger.lapse(entry.pk, evidence="its campaign went on without it")


def sweep() -> None:
    """Ring for whatever was forgotten: times that have come, requests that wait, campaigns that may be over."""
    _end_lost_requests()
    now = timezone.now()
    due = EmailCampaign.objects.filter(undo.comes(now), state=EmailCampaignState.SCHEDULED)
    isolation.each(due.values_list("pk", flat=True), start_scheduled, "start of email campaign {}".format)
    waiting = EmailCampaign.objects.filter(state=EmailCampaignState.SENDING)
    for campaign in waiting.filter(waits_for_hours=True):
        if email_hours.opens_at(campaign, now) != campaign.not_before:  # its calendar was changed
            EmailCampaign.objects.filter(pk=campaign.pk, waits_for_hours=True).update(not_before=None)
    its_turn = Q(not_before=None) | Q(not_before__lte=database_clock.now())
    for campaign_id in waiting.filter(its_turn).values_list("pk", flat=True):
        bell.ring(SEND_JOB, campaign_id)
    running = EmailCampaign.objects.filter(state=EmailCampaignState.RUNNING).values_list("pk", flat=True)
    isolation.each(running, finish_if_done, "end of email campaign {}".format)


def move(
    campaign: EmailCampaign, state: EmailCampaignState, event: str, by: User | None, hold_reason: str = ""
) -> None:
    was, campaign.state = campaign.state, state
    campaign.hold_reason, campaign.wait_reason = hold_reason, ""
    campaign.is_held_by_account, campaign.undo_until, campaign.waits_for_hours = False, None, False
    columns = ["state", "hold_reason", "wait_reason", "is_held_by_account", "undo_until", "waits_for_hours"]
    campaign.save(update_fields=columns)
    steps.note(campaign, event, by)
    events.campaign_moved(campaign, was, by=by.get_username() if by else "")

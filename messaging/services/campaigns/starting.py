"""How a campaign starts: launched, at its moment, taken back before anything left."""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.account import account_hold, applications
from laaffic_console.gateway.services.ledger import open_acts
from laaffic_console.gateway.services.work import bell, moments
from laaffic_console.kit.sql.constant_sql import Given, Update
from laaffic_console.kit.sql.constant_sql import kept as kept_as
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined
from messaging import job_names, msisdn
from messaging.models import AudienceCount, Campaign, CampaignState, HoldKind, Message
from messaging.services import steps
from messaging.services.approvals import approval_rules, shown
from messaging.services.approvals.shown import Agreed, Shown
from messaging.services.audience import audience, audience_counts, recipient_clocks, repeats
from messaging.services.campaigns import drafts, states
from messaging.services.channels import channels
from messaging.services.forecast import forecast, kept
from messaging.services.forecast.forecast import Forecast
from messaging.services.gates import sending_hours
from messaging.services.launching import lateness, restored_drafts, undo
from messaging.services.refusals import StillCounting
from messaging.text import merge_fields

START_JOB = "messaging.jobs.start_launched"


def launch(
    campaign_id: int,
    *,
    by: User | None = None,
    undo_seconds: float = 0,
    reasons: Mapping[str, str] | None = None,
    seen: Shown | None = None,
    again: str | None = None,
) -> Campaign:
    """Start a draft, now or at its time. A second launch of the same campaign changes nothing.

    With `undo_seconds` it starts so much later, and can be taken back until then: no recipient is frozen before.
    `reasons` are what somebody said to checks that need one; they are kept with the campaign.
    `seen` is what a page showed: NotNow where that is not so any more. What waits for its time is compared once
    more when that comes, also where no page was shown.
    `again`, where no page asked about repeats: why it is sent although the same may have arrived, or leaves by itself.
    StillOpen where such a one is open and this is empty; None does not look.
    """
    began = timezone.now()
    approval_rules.prepare(Campaign, campaign_id, within_request=seen is not None)
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        if campaign.state in (CampaignState.SCHEDULED, CampaignState.RUNNING):
            return campaign
        steps.require(campaign, [CampaignState.DRAFT], _("launched"))
        drafts.check_ready(campaign)
        if seen is None:
            _require_to_come(campaign, campaign.scheduled_at)
        _decide_on(campaign, seen, by, approvals_count=approval_rules.is_on())
        if campaign.latest_end and campaign.latest_end <= forecast.starts_at(campaign):
            raise NotNow(sending_hours.begins_after_its_end(campaign.latest_end))
        if again is not None and _is_repeated(campaign, again):
            steps.note(campaign, _("Launched all the same: %(reason)s") % {"reason": again.strip()}, by)
        if again is not None and restored_drafts.KEY not in (reasons or {}):
            reasons = {**(reasons or {}), **_why_though_restored(campaign, again)}
        for reason in (reasons or {}).values():
            steps.note(campaign, _("Launched all the same: %(reason)s") % {"reason": reason}, by)
        if undo.is_to_come(campaign.scheduled_at):
            states.move(campaign, CampaignState.SCHEDULED, _("Scheduled"), by)
        elif undo_seconds > 0 or not is_counted_since(campaign, began):
            start_later(campaign, undo_seconds, by)
        else:
            _start_now(campaign, by)
    return campaign


def _is_repeated(campaign: Campaign, again: str) -> bool:
    """Whether the same may have arrived, or an answer or test is about to; StillOpen unless `again` says why again."""
    if open_acts.decide(repeats.without_outcome(campaign), again):
        return True
    if campaign.kind == Campaign.Kind.CAMPAIGN:
        return False  # scripts launch several with the same text on purpose; pages ask
    if (waiting := repeats.about_to_leave(campaign)) is None:
        return False
    if is_blank(again):
        since = waiting.launched_at or waiting.created_at
        raise open_acts.StillOpen(_("campaign %(id)s") % {"id": waiting.pk}, since, is_waiting=True)
    return True


def _why_though_restored(campaign: Campaign, again: str) -> dict[str, str]:
    reason = restored_drafts.reason_for(campaign, again)
    return {restored_drafts.KEY: reason} if reason else {}


def _require_to_come(campaign: Campaign, moment: dt.datetime | None) -> None:
    if passed := lateness.long_past(moment, lateness.allowed(campaign.latest_start_minutes)):
        raise NotNow(passed)


def launch_new(draft: Campaign, *, by: User | None) -> list[Message] | None:
    """Start a draft that this transaction made for numbers alone, given or pasted, to be sent at once, and freeze them,
    so no worker is rung for that: its messages, or None where the table has to be asked for them.

    That the draft was created is noted here (drafts.create with `is_noted` off). Nobody else sees it yet, so it is
    neither locked nor read again. In the audit log the line of its launch says it too; one that stays a draft has a
    line of its own.
    """
    if not approval_rules.is_on():
        return _launch_unapproved(draft, by)
    steps.note_together(draft, [steps.created()], by)
    steps.tell(draft)
    began = timezone.now()
    approval_rules.prepare(Campaign, draft.pk)
    with transaction.atomic():  # what is refused leaves the draft behind
        drafts.check_ready(draft)
        _decide_on(draft, None, by, approvals_count=True)
        if is_counted_since(draft, began):
            _start_now(draft, by, is_frozen=True)
        else:
            start_later(draft, 0, by)
    audience.freeze_at_once(draft)
    return None


def _launch_unapproved(draft: Campaign, by: User | None) -> list[Message] | None:
    """Nobody has to say yes, so nothing stands between the draft and its messages, and its row is written once."""
    drafts.check_ready(draft)
    draft.shown, draft.drift, draft.launched_by = None, None, by
    draft.forecast = kept.of(draft, None)
    cap = audience.begin_new(draft)
    states.move_new(draft, CampaignState.RUNNING, _("Launched"), by)
    bell.ring(job_names.SEND_CAMPAIGN, draft.pk)
    _hold_if_stopped(draft)
    if draft.paste_id is None and not merge_fields.fields(channels.texts_of(draft)):
        made = audience.freeze_new(draft, cap)
        _keep_launch(draft)
        return made
    _keep_launch(draft)  # first: a chunk of what was pasted, or a text that grows too long, moves figures of this row
    audience.freeze_at_once(draft)
    return None


def _keep_launch(draft: Campaign) -> None:
    columns: dict[str, Any] = {name: getattr(draft, name) for name in LAUNCHED}
    columns["account_hold"] = draft.account_hold_id
    _launched(campaign=draft.pk, by=draft.launched_by_id, **columns)


LAUNCHED = tuple(dict.fromkeys(("shown", "forecast", "drift", *audience.BEGUN, *audience.COUNTED, *states.MOVED)))


@Update
def _launched() -> tuple[QuerySet[Campaign], dict[str, Any]]:
    return Campaign.objects.filter(pk=Given("campaign")), {**kept_as(Campaign, *LAUNCHED), "launched_by": Given("by")}


def _start_now(campaign: Campaign, by: User | None, *, is_frozen: bool = False) -> None:
    start(campaign, by, is_frozen=is_frozen)
    _hold_if_stopped(campaign)


def _hold_if_stopped(campaign: Campaign) -> None:
    if stopped_by := account_hold.stop_for(campaign.application_id):
        states.hold_for(campaign, stopped_by, None)


def launch_test(draft: Campaign, number: str, *, again: str = "", by: User | None) -> Campaign:
    """Send a draft's text to one number, as a campaign of its own.

    `again`: why it is sent although the same may have arrived (StillOpen without it). If the same test has not left
    yet, that one is returned. Of two calls at once the second waits for the draft's row, and finds the first's test.
    """
    try:
        msisdn.parse(number)
    except msisdn.InvalidNumber as problem:
        raise ValidationError({"number": str(problem)}) from problem
    with transaction.atomic():  # what is refused leaves no test behind
        steps.locked(Campaign, draft.pk)
        if not again.strip() and (waiting := repeats.waiting_test(draft, number, by)):
            return waiting
        test = drafts.create(
            name=_("Test of %(name)s") % {"name": draft.name[:100]},
            application=draft.application,
            sender_id=draft.sender_id,
            text=draft.text,
            numbers=[number],
            kind=Campaign.Kind.TEST,
            channel=draft.channel,
            channel_options=draft.channel_options,
            by=by,
        )
        return launch(test.pk, by=by, again=again)


def start_later(campaign: Campaign, seconds: float, by: User | None) -> None:
    said = (
        _("Launched; it can be taken back for %(n)d s") if seconds else _("Launched; its recipients are counted again")
    )
    states.move(campaign, CampaignState.SCHEDULED, said % {"n": seconds} if seconds else said, by)
    campaign.undo_until = undo.until(seconds)
    campaign.save(update_fields=["undo_until"])
    bell.ring(START_JOB, campaign.pk)


def launches_due(by: dt.datetime) -> list[tuple[int, dt.datetime]]:
    return undo.due(Campaign.objects.filter(state=CampaignState.SCHEDULED), by)


def start_launched(campaign_id: int) -> None:
    """Start a launch when its moment comes, its scheduled time or the end of its undo window.

    The sweeper does what this forgets.
    """
    until = undo.moment_of(Campaign.objects.filter(pk=campaign_id, state=CampaignState.SCHEDULED))
    if until is not None and moments.wait_for(until):
        start_scheduled(campaign_id)


def take_back(campaign_id: int, *, by: User | None = None) -> Campaign:
    """Make a draft again of what has not begun: nothing of it has left, and its audience is not fixed."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        if campaign.state == CampaignState.DRAFT:
            return campaign
        steps.require_restored(campaign)
        if not may_be_taken_back(campaign):
            steps.require(campaign, [CampaignState.SCHEDULED], _("taken back"))
        if campaign.local_time:
            Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=None)
        mark = restored_drafts.kept_mark(campaign)
        states.move(campaign, CampaignState.DRAFT, _("Taken back before anything left"), by, **mark)
    return campaign


def may_be_taken_back(campaign: Campaign) -> bool:
    """Whether it can become a draft again: it waits for its time, or was paused or held before it was frozen."""
    if campaign.state in (CampaignState.PAUSED, CampaignState.HELD):
        return campaign.audience == Campaign.Audience.OPEN and not steps.is_restore_unfinished(campaign)
    return campaign.state == CampaignState.SCHEDULED


def start_scheduled(campaign_id: int) -> None:
    approval_rules.prepare(Campaign, campaign_id)
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        starts_at = campaign.undo_until or campaign.scheduled_at
        if campaign.state != CampaignState.SCHEDULED or not starts_at:
            return
        if late := lateness.too_late(starts_at, lateness.allowed(campaign.latest_start_minutes)):
            states.hold_locked(campaign, late, HoldKind.TOO_LATE)
        elif not undo.is_to_come(starts_at) and _is_countable(campaign):
            start_or_hold(campaign)


def _is_countable(campaign: Campaign) -> bool:
    """False where somebody has begun to count again: the sweeper comes again, before it is too late."""
    return campaign.shown is None or forecast.of(campaign).counted.is_done


def _decide_on(campaign: Campaign, seen: Shown | None, by: User | None, *, approvals_count: bool) -> None:
    """Keep what the launch is decided on: what was shown, where that is so; without a page, what is so now.

    NotNow where that is not so, or a second person's word is missing.

    Who joins a group after that was counted is not in it, also where it starts a moment later. A start by the clock
    counts again.
    """
    campaign.shown = campaign.member_end = planned = None
    if seen is not None or campaign.scheduled_at or campaign.local_time or approvals_count:
        planned = forecast.of(campaign)
        if not planned.counted.is_done:
            raise StillCounting(_("Its recipients are still being counted. Launch it when all are known."))
        now = shown.of(campaign, planned)
        if seen is not None and (changed := shown.changes(seen, now)):
            raise NotNow(_("It has changed since it was shown: %(changes)s.") % {"changes": joined(changed, "; ")})
        campaign.shown, campaign.member_end = shown.as_json(seen or now), planned.counted.member_end
        campaign.audience_end = _end_of(campaign, planned)
        if wall := sending_hours.wall_time(campaign.local_time):
            if seen is None:
                _require_to_come(campaign, recipient_clocks.last_moment(wall, planned.counted))
            campaign.scheduled_at = recipient_clocks.first_moment(wall, planned.counted)
            campaign.save(update_fields=["scheduled_at"])
    campaign.forecast, campaign.drift, campaign.launched_by = kept.of(campaign, planned), None, by
    _decided(campaign=campaign.pk, shown=campaign.shown, forecast=campaign.forecast, by=by.pk if by else None)
    if approvals_count:
        approval_rules.require(campaign)


@Update
def _decided() -> tuple[QuerySet[Campaign], dict[str, Any]]:
    values = {**kept_as(Campaign, "shown", "forecast"), "launched_by": Given("by"), "member_end": None, "drift": None}
    return Campaign.objects.filter(pk=Given("campaign")), values


def is_counted_since(campaign: Campaign, began: dt.datetime) -> bool:
    """Whether it was counted since that moment, so that it can be compared with what a page showed, if one did."""
    return campaign.shown is None or AudienceCount.objects.filter(campaign=campaign, started_at__gte=began).exists()


def not_as_shown(campaign: Campaign, agreed: Agreed | None = None, by: User | None = None) -> str:
    """One sentence where it would not do what was shown at its launch; "" fixes who is in it.

    `agreed`: the new cost, by who resumes it; it is what was shown from then on.
    """
    if not campaign.shown:
        return ""
    if (seen := shown.from_json(campaign.shown)) is None:
        return _("What was shown at its launch cannot be read. Make it a draft again, review it and launch it.")
    planned = forecast.of(campaign)
    if not planned.counted.is_done:
        return _("Its recipients are still being counted. Resume it when all are known.")
    if changed := _changes(campaign, seen, planned):
        if not _is_cost_alone(campaign, seen, planned):
            said = _("It has changed since it was launched: %(changes)s. Make it a draft again and review it.")
            return said % {"changes": joined(changed, "; ")}
        if agreed is None or not agreed.covers(shown.of(campaign, planned)):
            said = _(
                "It has changed since it was launched: %(changes)s. Make it a draft again and review it, or resume it "
                "and agree to the new cost."
            )
            return said % {"changes": joined(changed, "; ")}
        _agree(campaign, seen, planned, by)
    campaign.member_end, campaign.audience_end = planned.counted.member_end, _end_of(campaign, planned)
    return ""


def _changes(campaign: Campaign, seen: Shown, planned: Forecast) -> list[str]:
    """A price that has become known since the launch is none: approvals and budgets say what it may cost."""
    return shown.changes(
        seen,
        shown.of(campaign, planned),
        fewer_is_fine=True,
        moved=shown.MOVED_SINCE_LAUNCH,
        names_any=partial(audience_counts.names_any, campaign),
        learned=planned.cost,
    )


def _is_cost_alone(campaign: Campaign, seen: Shown, planned: Forecast) -> bool:
    return not _changes(campaign, shown.at_cost_of(seen, shown.of(campaign, planned)), planned)


def _agree(campaign: Campaign, seen: Shown, planned: Forecast, by: User | None) -> None:
    now = shown.of(campaign, planned)
    campaign.shown, campaign.forecast = shown.as_json(shown.at_cost_of(seen, now)), kept.of(campaign, planned)
    campaign.save(update_fields=["shown", "forecast"])
    steps.note(campaign, _("Resumed at another cost; %(change)s") % {"change": shown.cost_words(seen, now)}, by)


def if_resumed(campaign: Campaign) -> Forecast | None:
    """The forecast that a resume would compare, if it is known without counting anybody; else None."""
    return forecast.looked_at(campaign) if starts_when_resumed(campaign) else None


def cost_to_agree_to(campaign: Campaign, planned: Forecast) -> tuple[str, Agreed] | None:
    """(what differs, the new cost) if only the cost keeps it from starting, so that its page can ask; else None."""
    seen = shown.from_json(campaign.shown)
    if seen is None or not _changes(campaign, seen, planned) or not _is_cost_alone(campaign, seen, planned):
        return None
    now = shown.of(campaign, planned)
    return str(shown.cost_words(seen, now)), Agreed(planned.cost.by_currency, now.unpriced)


def starts_when_resumed(campaign: Campaign) -> bool:
    """Nobody of it is frozen, and its time is not to come: a resume compares it with what was shown."""
    if undo.is_to_come(campaign.scheduled_at):
        return False
    is_open = campaign.audience == Campaign.Audience.OPEN
    return is_open and campaign.state in (CampaignState.HELD, CampaignState.PAUSED)


def _end_of(campaign: Campaign, planned: Forecast) -> int:
    """The last contact that was counted, where conditions say who is in; 0: the last there is when it starts."""
    return planned.counted.end if campaign.audiences.exists() else 0


def start_or_hold(campaign: Campaign, agreed: Agreed | None = None) -> None:
    """Start it, or hold it if something is missing, as nobody is there to be told. `agreed`: see not_as_shown."""
    stop = applications.stop_of(campaign.application)
    if missing := stop or approval_rules.missing(campaign) or not_as_shown(campaign, agreed):
        states.hold_locked(campaign, missing)
    else:
        start(campaign, None)


def start(campaign: Campaign, by: User | None, *, is_frozen: bool = False) -> None:
    audience.begin(campaign)
    states.move(campaign, CampaignState.RUNNING, _("Launched"), by)
    # The sender's bell first: with one worker it begins at once and freezes for itself.
    bell.ring(job_names.SEND_CAMPAIGN, campaign.pk)
    if not is_frozen:
        bell.ring(job_names.FREEZE_AUDIENCE, campaign.pk)

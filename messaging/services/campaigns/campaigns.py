"""What may be done to a campaign, by whom it was done, and when it is over."""

import datetime as dt
from collections.abc import Mapping

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold
from laaffic_console.gateway.services import account_hold, bell, isolation, moments, open_acts
from laaffic_console.kit.said import gettext as _
from laaffic_console.kit.said import joined
from messaging import msisdn
from messaging.models import (
    AudienceCount,
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    MessageState,
)
from messaging.services import events, steps
from messaging.services.approvals import approval_rules, shown
from messaging.services.approvals.shown import Shown
from messaging.services.audience import audience, recipient_clocks, repeats
from messaging.services.batches import counting
from messaging.services.campaigns import drafts
from messaging.services.forecast import forecast, kept
from messaging.services.forecast.forecast import Forecast
from messaging.services.gates import sending_hours
from messaging.services.launching import undo
from messaging.services.refusals import NotAllowed

START_JOB = "messaging.jobs.start_launched"


def launch(
    campaign_id: int,
    *,
    by: User | None = None,
    undo_seconds: float = 0,
    reasons: Mapping[str, str] | None = None,
    seen: Shown | None = None,
    again: str | None = None,
    freezes: bool = False,
) -> Campaign:
    """Start a draft, now or at its time. A second launch of the same campaign changes nothing.

    With `undo_seconds` it starts so much later, and can be taken back until then: no recipient is frozen before.
    `reasons` are what somebody said to checks that want one; they are kept with the campaign.
    `seen` is what a page showed: NotAllowed where that is not so any more. What waits for its time is compared once
    more when that comes, also where no page was shown.
    `again`, where no page asked about repeats: why it is sent although the same may have arrived. StillOpen where such
    a one is open and this is empty; None does not look.
    `freezes`: the caller freezes the audience before this is committed (audience.freeze_at_once), so no worker is rung
    for that.
    """
    began = timezone.now()
    approval_rules.prepare(Campaign, campaign_id, within_request=seen is not None)
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        if campaign.state in (CampaignState.SCHEDULED, CampaignState.RUNNING):
            return campaign
        steps.require(campaign, [CampaignState.DRAFT], _("launched"))
        drafts.check_ready(campaign)
        _decide_upon(campaign, seen)
        approval_rules.require(campaign)
        if again is not None and open_acts.decide(repeats.without_outcome(campaign), again):
            steps.note(campaign, _("Launched all the same: %(reason)s") % {"reason": again.strip()}, by)
        for reason in (reasons or {}).values():
            steps.note(campaign, _("Launched all the same: %(reason)s") % {"reason": reason}, by)
        campaign.launched_by = by
        campaign.save(update_fields=["launched_by"])
        if campaign.scheduled_at and campaign.scheduled_at > timezone.now():
            _move(campaign, CampaignState.SCHEDULED, _("Scheduled"), by)
            return campaign
        if undo_seconds > 0 or not _is_counted_since(campaign, began):
            _start_later(campaign, undo_seconds, by)
            return campaign
        _start(campaign, by, is_frozen=freezes)
        if stopped_by := account_hold.stop_for(campaign.application_id):
            _hold_for(campaign, stopped_by, None)
    return campaign


def launch_test(draft: Campaign, number: str, *, again: str = "", by: User | None) -> Campaign:
    """Send a draft's text to one number, as a campaign of its own.

    `again`: why it is sent although the same may have arrived (StillOpen without it).
    """
    try:
        msisdn.parse(number)
    except msisdn.InvalidNumber as problem:
        raise ValidationError({"number": str(problem)}) from problem
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
    try:
        return launch(test.pk, by=by, again=again)
    except open_acts.StillOpen:
        test.delete()
        raise


def _start_later(campaign: Campaign, seconds: float, by: User | None) -> None:
    said = (
        _("Launched; it can be taken back for %(n)d s") if seconds else _("Launched; its recipients are counted again")
    )
    _move(campaign, CampaignState.SCHEDULED, said % {"n": seconds} if seconds else said, by)
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
        if campaign.state != CampaignState.HELD or campaign.audience != Campaign.Audience.OPEN:
            steps.require(campaign, [CampaignState.SCHEDULED], _("taken back"))
        if campaign.local_time:
            Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=None)
        _move(campaign, CampaignState.DRAFT, _("Taken back before anything left"), by)
    return campaign


def start_scheduled(campaign_id: int) -> None:
    approval_rules.prepare(Campaign, campaign_id)
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        starts_at = campaign.undo_until or campaign.scheduled_at
        if campaign.state != CampaignState.SCHEDULED or not starts_at:
            return
        late = timezone.now() - starts_at
        if late > latest_start(campaign):
            reason = _("It is %(late)d minutes past its time, and %(limit)d is the limit. Resume to send it now.") % {
                "late": late.total_seconds() // 60,
                "limit": latest_start(campaign).total_seconds() // 60,
            }
            _move(campaign, CampaignState.HELD, _("Held: %(reason)s") % {"reason": reason}, None, hold_reason=reason)
        elif late >= dt.timedelta() and _is_countable(campaign):
            _start_or_hold(campaign)


def _is_countable(campaign: Campaign) -> bool:
    """False where somebody has begun to count anew: the sweeper comes again, before it is too late."""
    return campaign.shown is None or forecast.of(campaign).counted.is_done


ON_TIME = dt.timedelta(minutes=1)  # the sweeper comes twice a minute


def latest_start(campaign: Campaign) -> dt.timedelta:
    """How long after its time a scheduled campaign may still start by itself.

    0 is "on time or not at all", and on time is whenever the sweeper comes by.
    """
    given = campaign.latest_start_minutes
    allowed = dt.timedelta(minutes=settings.LAAFFIC_LATEST_START_MINUTES if given is None else given)
    return max(allowed, ON_TIME)


def _decide_upon(campaign: Campaign, seen: Shown | None) -> None:
    """Keep what the launch is decided upon: what was shown, where that is so; without a page, what is so now.

    Who joins a group after that was counted is not in it, also where it starts a moment later. A start by the clock
    counts anew.
    """
    campaign.shown = campaign.member_end = planned = None
    if seen is not None or campaign.scheduled_at or campaign.local_time or approval_rules.is_on():
        planned = forecast.of(campaign)
        if not planned.counted.is_done:
            raise NotAllowed(_("Its recipients are still being counted. Launch it when all are known."))
        now = shown.of(campaign, planned)
        if seen is not None and (changed := shown.changes(seen, now)):
            raise NotAllowed(_("It is not what was shown any more: %(changes)s.") % {"changes": joined(changed, "; ")})
        campaign.shown, campaign.member_end = shown.as_json(seen or now), planned.counted.member_end
        campaign.audience_end = _end_of(campaign, planned)
        if wall := sending_hours.wall_time(campaign.local_time):
            campaign.scheduled_at = recipient_clocks.first_moment(wall, planned.counted)
            campaign.save(update_fields=["scheduled_at"])
    campaign.forecast, campaign.drift = kept.of(campaign, planned), None
    Campaign.objects.filter(pk=campaign.pk).update(
        shown=campaign.shown, member_end=None, forecast=campaign.forecast, drift=None
    )


def _is_counted_since(campaign: Campaign, began: dt.datetime) -> bool:
    """What is compared with a page is what was so after its button was pressed; without a page nothing is."""
    return campaign.shown is None or AudienceCount.objects.filter(campaign=campaign, started_at__gte=began).exists()


def _not_as_shown(campaign: Campaign) -> str:
    """One sentence where it would not do what was shown at its launch; "" fixes who is in it."""
    if (seen := shown.from_json(campaign.shown)) is None:
        return ""
    planned = forecast.of(campaign)
    if not planned.counted.is_done:
        return _("Its recipients are still being counted. Resume it when all are known.")
    if changed := shown.changes(seen, shown.of(campaign, planned), fewer_is_fine=True, by_the_clock=True):
        said = _("It is not what was shown when it was launched: %(changes)s. Make it a draft again and look at it.")
        return said % {"changes": joined(changed, "; ")}
    campaign.member_end, campaign.audience_end = planned.counted.member_end, _end_of(campaign, planned)
    return ""


def _end_of(campaign: Campaign, planned: Forecast) -> int:
    """The last contact that was counted, where conditions say who is in; 0: the last there is when it starts."""
    return planned.counted.end if campaign.audiences.exists() else 0


def _start_or_hold(campaign: Campaign) -> None:
    """By the clock nobody is there to be told: what misses its approval by now is held."""
    if missing := approval_rules.missing(campaign) or _not_as_shown(campaign):
        _move(campaign, CampaignState.HELD, _("Held: %(reason)s") % {"reason": missing}, None, hold_reason=missing)
    else:
        _start(campaign, None)


def _start(campaign: Campaign, by: User | None, *, is_frozen: bool = False) -> None:
    audience.begin(campaign)
    _move(campaign, CampaignState.RUNNING, _("Launched"), by)
    # The sender's bell first: with one worker it begins at once and freezes for itself.
    bell.ring("messaging.jobs.send_campaign", campaign.pk)
    if not is_frozen:
        bell.ring("messaging.jobs.freeze_audience", campaign.pk)


def pause(campaign_id: int, *, by: User | None = None) -> Campaign:
    """No further claim is made; what is in flight is settled."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        steps.require(campaign, [CampaignState.RUNNING, CampaignState.SCHEDULED, CampaignState.HELD], _("paused"))
        _move(campaign, CampaignState.PAUSED, _("Paused"), by)
    return campaign


def resume(campaign_id: int, *, by: User | None = None) -> Campaign:
    began = timezone.now()
    if _is_open(campaign_id):
        approval_rules.prepare(Campaign, campaign_id, within_request=True)
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        steps.require(campaign, [CampaignState.PAUSED, CampaignState.HELD], _("resumed"))
        steps.require_restored(campaign)
        stopped_by = account_hold.stop_for(campaign.application_id)
        if stopped_by is None:
            if own := account_hold.open_hold_of_campaign(campaign.pk):
                account_hold.release(own.pk, because=_("Resumed by a person."), by=by)
            Campaign.objects.filter(pk=campaign.pk).update(errors=0)
            _lift_end(campaign, by)
            _go_on(campaign, by, began)
        elif campaign.account_hold_id:
            raise NotAllowed(
                _("%(reason)s The campaign goes on by itself as soon as Laaffic accepts.")
                % {"reason": stopped_by.sentence}
            )
        else:
            _hold_for(campaign, stopped_by, by)
    return campaign


def _lift_end(campaign: Campaign, by: User | None) -> None:
    if campaign.latest_end is not None and campaign.latest_end <= timezone.now():
        campaign.latest_end = None
        campaign.save(update_fields=["latest_end"])
        steps.note(campaign, _("Its latest end no longer counts: the rest is sent"), by)


def _is_open(campaign_id: int) -> bool:
    """Nobody of it is frozen: who gets it is still to be looked at."""
    return Campaign.objects.filter(pk=campaign_id, audience=Campaign.Audience.OPEN).exists()


def _go_on(campaign: Campaign, by: User | None, began: dt.datetime | None = None) -> None:
    if campaign.audience != Campaign.Audience.OPEN:
        _move(campaign, CampaignState.RUNNING, _("Resumed"), by)
        wake(campaign.pk)
    elif campaign.scheduled_at and campaign.scheduled_at > timezone.now():
        _move(campaign, CampaignState.SCHEDULED, _("Resumed: it waits for its time"), by)
    elif by is None:
        _start_or_hold(campaign)
    else:
        approval_rules.require(campaign)
        if problem := _not_as_shown(campaign):
            raise NotAllowed(problem)
        if began and not _is_counted_since(campaign, began):
            _start_later(campaign, 0, by)
        else:
            _start(campaign, by)


def change_pace(campaign_id: int, *, rate_per_second: int | None, by: User | None = None) -> Campaign:
    """Another rate, also while it runs: the next claim keeps it. None: as fast as the application allows."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        steps.require(
            campaign,
            [s for s in CampaignState if s not in (CampaignState.FINISHED, CampaignState.CANCELLED)],
            _("changed"),
        )
        if rate_per_second is not None and rate_per_second < 1:
            raise ValidationError({"rate_per_second": _("At least one recipient a second; pause it to stop it.")})
        if campaign.rate_per_second != rate_per_second:
            campaign.rate_per_second = rate_per_second
            campaign.save(update_fields=["rate_per_second"])
            said = _("%(n)d a second") % {"n": rate_per_second} if rate_per_second else _("no limit of its own")
            steps.note(campaign, _("Rate changed: %(rate)s") % {"rate": said}, by)
    return campaign


def wake(campaign_id: int) -> None:
    bell.ring("messaging.jobs.send_campaign", campaign_id)
    bell.ring("messaging.jobs.freeze_audience", campaign_id)


def cancel(campaign_id: int, *, by: User | None = None) -> Campaign:
    """What has not left never will; what is in flight is settled, and reports still count."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        if campaign.state == CampaignState.CANCELLED:
            return campaign
        steps.require(
            campaign,
            [s for s in CampaignState if s not in (CampaignState.FINISHED, CampaignState.CANCELLED)],
            _("cancelled"),
        )
        Campaign.objects.filter(pk=campaign.pk).update(audience=Campaign.Audience.FROZEN)
        _move(campaign, CampaignState.CANCELLED, _("Cancelled"), by)
    cancel_all_waiting(campaign_id)
    return campaign


def cancel_all_waiting(campaign_id: int) -> None:
    while cancel_waiting(campaign_id):
        pass


def cancel_waiting(campaign_id: int, batches: int = 20) -> bool:
    """Cancel the messages of some waiting batches of a cancelled campaign; True while there are more."""
    with transaction.atomic():
        waiting = list(
            Batch.objects.select_for_update()
            .filter(campaign_id=campaign_id, state=BatchState.QUEUED)
            .order_by("id")[:batches]
        )
        for batch in waiting:
            cancelled = batch.messages().filter(state=MessageState.QUEUED).update(state=MessageState.CANCELLED)
            Batch.objects.filter(pk=batch.pk).update(
                state=BatchState.SETTLED, queued=0, cancelled=F("cancelled") + cancelled
            )
    return len(waiting) == batches


def hold(campaign_id: int, reason: str) -> None:
    """The system's own pause, always with one sentence why."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        if campaign.state in (CampaignState.RUNNING, CampaignState.SCHEDULED):
            _move(campaign, CampaignState.HELD, _("Held: %(reason)s") % {"reason": reason}, None, hold_reason=reason)


def hold_after_end(campaign_id: int) -> None:
    """What has not left by its latest end asks first; not what only waits for its last answers."""
    latest_end = Campaign.objects.values_list("latest_end", flat=True).get(pk=campaign_id)
    if latest_end is not None and Batch.objects.filter(campaign=campaign_id, state=BatchState.QUEUED).exists():
        hold(campaign_id, sending_hours.after_its_end(latest_end))


def hold_for_account(campaign_id: int) -> bool:
    """Hold a campaign that waits or runs while the account's hold stops it, with that hold's sentence."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        stopped_by = _stopped_by(campaign)
        if stopped_by is None:
            return False
        if campaign.state in (CampaignState.RUNNING, CampaignState.SCHEDULED):
            _hold_for(campaign, stopped_by, None)
    return True


def _stopped_by(campaign: Campaign) -> AccountHold | None:
    """The hold of the account, of its application, or of this campaign alone."""
    return account_hold.stop_for(campaign.application_id) or account_hold.open_hold_of_campaign(campaign.pk)


def _hold_for(campaign: Campaign, stopped_by: AccountHold, by: User | None) -> None:
    event = _("Held: %(reason)s") % {"reason": stopped_by.sentence}
    _move(campaign, CampaignState.HELD, event, by, hold_reason=stopped_by.sentence)
    campaign.account_hold = stopped_by
    campaign.save(update_fields=["account_hold"])


def follow_account() -> None:
    """Hold what the account's holds stop, and let go on exactly what they held. Repeated, it changes nothing."""
    if AccountHold.objects.filter(released_at=None).exists():
        open_ones = Campaign.objects.filter(state__in=[CampaignState.RUNNING, CampaignState.SCHEDULED])
        isolation.each(open_ones.values_list("pk", flat=True), hold_for_account, "hold of campaign {}".format)
    held = Campaign.objects.filter(state=CampaignState.HELD, account_hold__isnull=False)
    isolation.each(held.values_list("pk", flat=True), _follow, "going on of campaign {}".format)


@transaction.atomic
def _follow(campaign_id: int) -> None:
    campaign = steps.locked(Campaign, campaign_id)
    if campaign.state != CampaignState.HELD or not campaign.account_hold_id:
        return
    stopped_by = _stopped_by(campaign)
    if stopped_by is None and campaign.audience == Campaign.Audience.OPEN and campaign.scheduled_at:
        # Not started here: that its time has passed by too much is looked at where scheduled campaigns start.
        _move(campaign, CampaignState.SCHEDULED, _("Resumed: it waits for its time"), None)
    elif stopped_by is None:
        _go_on(campaign, None)
    elif stopped_by.sentence != campaign.hold_reason:
        _hold_for(campaign, stopped_by, None)


def finish_if_done(campaign_id: int) -> bool:
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        if campaign.state != CampaignState.RUNNING or not counting.is_done(campaign):
            return campaign.state == CampaignState.FINISHED
        Campaign.objects.filter(pk=campaign.pk).update(finished_at=timezone.now())
        _move(campaign, CampaignState.FINISHED, _("Finished: every message has left or was stopped"), None)
    return True


def _move(campaign: Campaign, state: CampaignState, event: str, by: User | None, hold_reason: str = "") -> None:
    was, campaign.state = campaign.state, state
    campaign.hold_reason = hold_reason
    campaign.account_hold = campaign.undo_until = None
    Campaign.objects.filter(pk=campaign.pk).update(
        state=state, hold_reason=hold_reason, wait_reason="", account_hold=None, undo_until=None
    )
    steps.note(campaign, event, by)
    events.campaign_moved(campaign, was, by=by.get_username() if by else "")

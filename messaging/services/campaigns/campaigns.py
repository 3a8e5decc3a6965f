"""What may be done to a campaign once it was launched, by whom it was done, and when it is over."""

import datetime as dt
from collections.abc import Iterable, Iterator

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.account import account_hold, applications
from laaffic_console.gateway.services.database import durability, isolation
from laaffic_console.gateway.services.work import bell, leases, turns
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import gettext as _
from messaging import job_names
from messaging.models import IS_OPEN_BATCH, Batch, BatchState, Campaign, CampaignState, HoldKind, MessageState
from messaging.services import steps
from messaging.services.approvals import approval_rules, approvals
from messaging.services.approvals.shown import Agreed
from messaging.services.batches import written_off
from messaging.services.budgets import budget_gate
from messaging.services.campaigns import canary_figures, launch_checks, starting, states
from messaging.services.gates import sending_hours
from messaging.services.launching import undo
from messaging.services.refusals import EndNotAsked, FewFirstFailed
from messaging.services.tallies import counting


def pause(campaign_id: int, *, by: User | None = None) -> Campaign:
    """No further claim is made; what is in flight is settled."""
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        steps.require(campaign, [CampaignState.RUNNING, CampaignState.SCHEDULED, CampaignState.HELD], _("paused"))
        steps.require_restored(campaign)  # paused, nothing would say so any more
        states.move(campaign, CampaignState.PAUSED, _("Paused"), by)
    return campaign


def resume(
    campaign_id: int, *, by: User | None = None, past_end: bool | None = None, agreed: Agreed | None = None
) -> Campaign:
    """`past_end`: whether a page asked about its latest end; EndNotAsked where it did not and that holds it by now.
    FewFirstFailed where the reports of its few first would hold it again at once.
    `agreed`: the new cost, where it was not begun and would cost something else than was shown at its launch.
    """
    began = timezone.now()
    if _is_open(campaign_id):
        approval_rules.prepare(Campaign, campaign_id, within_request=True)
    used_up = _used_up(campaign_id)
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        steps.require(campaign, [CampaignState.PAUSED, CampaignState.HELD], _("resumed"))
        steps.require_restored(campaign)
        if unasked := sending_hours.not_asked(campaign, past_end):
            raise EndNotAsked(unasked)
        if (stop := applications.stop_of(campaign.application)) and _has_more_to_send(campaign):
            raise NotNow(stop)
        stopped_by = account_hold.stop_for(campaign.application_id)
        if stopped_by is None:
            if used_up:
                raise NotNow(used_up)
            if failed := canary_figures.stop_of(campaign):
                raise FewFirstFailed(_("Not resumed: it would be held at once. %(why)s") % {"why": failed})
            if own := account_hold.open_hold_of_campaign(campaign.pk):
                account_hold.release(own.pk, because=_("Resumed by a person."), by=by)
            _keep_what_was_agreed(campaign, past_end, by)
            _go_on(campaign, by, began, agreed)
        elif campaign.account_hold_id:
            raise NotNow(steps.goes_on_by_itself(stopped_by))
        else:
            _keep_what_was_agreed(campaign, past_end, by)
            if by is not None and starting.starts_when_resumed(campaign):
                _require_as_shown(campaign, agreed, by)
            _start_from_now_on(campaign)
            states.hold_for(campaign, stopped_by, by)
    return campaign


def _keep_what_was_agreed(campaign: Campaign, past_end: bool | None, by: User | None) -> None:
    """Who resumes it has seen its errors and its latest end; also where it waits for the account once more."""
    Campaign.objects.filter(pk=campaign.pk).update(errors=0)
    _lift_end(campaign, past_end, by)


def _start_from_now_on(campaign: Campaign) -> None:
    """Its time has passed and somebody wants it sent all the same: this marks it, until the hold has ended."""
    if campaign.scheduled_at is not None and starting.starts_when_resumed(campaign):
        campaign.undo_until = undo.until(0)


def _require_as_shown(campaign: Campaign, agreed: Agreed | None, by: User) -> None:
    """Keep the cost that was agreed to: when the account's hold ends, nobody is there to be asked."""
    if problem := starting.not_as_shown(campaign, agreed, by):
        raise NotNow(problem)


def _used_up(campaign_id: int) -> str:
    """The sentence if a budget would hold it at once, else "". Called before its lock is taken: counters come first."""
    campaign = Campaign.objects.select_related("application").get(pk=campaign_id)
    if campaign.state not in (CampaignState.PAUSED, CampaignState.HELD):
        return ""
    if campaign.audience != Campaign.Audience.OPEN:
        return budget_gate.stop_of(campaign)
    begins = _begins_at(campaign)
    return budget_gate.stop_at(campaign, begins) if begins else ""


def _begins_at(campaign: Campaign) -> dt.datetime | None:
    """When the first message of an audience not frozen yet would leave; None if unknown or if its time is to come."""
    if (planned := starting.if_resumed(campaign)) is None:
        return None
    return timezone.now() if campaign.outside_hours else launch_checks.starts_at(campaign, planned)


def _lift_end(campaign: Campaign, past_end: bool | None, by: User | None) -> None:
    if sending_hours.is_lifted(campaign, past_end):
        campaign.latest_end = None
        campaign.save(update_fields=["latest_end"])
        steps.note(campaign, _("Its latest end no longer counts: the rest is sent"), by)


def _is_open(campaign_id: int) -> bool:
    """Nobody of it is frozen: who gets it is still to be looked at."""
    return Campaign.objects.filter(pk=campaign_id, audience=Campaign.Audience.OPEN).exists()


def _go_on(campaign: Campaign, by: User | None, began: dt.datetime | None = None, agreed: Agreed | None = None) -> None:
    if campaign.audience != Campaign.Audience.OPEN:
        states.move(campaign, CampaignState.RUNNING, _("Resumed"), by)
        wake(campaign.pk)
    elif undo.is_to_come(campaign.scheduled_at):
        states.move(campaign, CampaignState.SCHEDULED, _("Resumed: it waits for its time"), by)
    elif by is None:
        starting.start_or_hold(campaign, agreed)
    else:
        if problem := approval_rules.missing(campaign) or starting.not_as_shown(campaign, agreed, by):
            raise NotNow(problem)
        if began and not starting.is_counted_since(campaign, began):
            starting.start_later(campaign, 0, by)
        else:
            starting.start(campaign, by)


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
            if campaign.state == CampaignState.DRAFT:
                steps.kept(campaign, by, is_new=False, is_noted=False)
                approvals.void_if_changed(campaign, by=by)
            said = _("%(n)d a second") % {"n": rate_per_second} if rate_per_second else _("no limit of its own")
            steps.note(campaign, _("Rate changed: %(rate)s") % {"rate": said}, by)
    return campaign


def wake(campaign_id: int) -> None:
    bell.ring(job_names.SEND_CAMPAIGN, campaign_id)
    bell.ring(job_names.FREEZE_AUDIENCE, campaign_id)


def cancel(campaign_id: int, *, by: User | None = None) -> Campaign:
    """Cancel it: queued messages never leave; those in flight are still settled, and reports still count."""
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
        states.move(campaign, CampaignState.CANCELLED, _("Cancelled"), by)
    cancel_all_waiting(campaign_id)
    return campaign


def cancel_all_waiting(campaign_id: int) -> None:
    while cancel_waiting(campaign_id):
        pass


CANCELLED_AT_ONCE = 20  # batches
CANCELLED_AGAIN = f"cancelled before it was sent again{written_off.PERHAPS}"


def cancel_waiting(campaign_id: int) -> bool:
    """Cancel the messages of some waiting batches of a cancelled campaign; True while there are more."""
    with transaction.atomic():
        waiting = list(
            Batch.objects.select_for_update()
            .filter(IS_OPEN_BATCH.implied, campaign_id=campaign_id, state=BatchState.QUEUED)
            .order_by("id")[:CANCELLED_AT_ONCE]
        )
        for batch in waiting:
            queued = batch.messages().filter(state=MessageState.QUEUED)
            had = written_off.had_perhaps(queued)
            cancelled = queued.exclude(pk__in=had).update(state=MessageState.CANCELLED)
            Batch.objects.filter(pk=batch.pk).update(
                state=BatchState.SETTLED, queued=len(had), cancelled=F("cancelled") + cancelled
            )
            if had:
                written_off.write_off(batch, had, was=MessageState.QUEUED, evidence=CANCELLED_AGAIN)
                return True  # with it tallies are locked, which come last in a transaction
    return len(waiting) == CANCELLED_AT_ONCE


def hold_after_end(campaign_id: int) -> None:
    """Hold it after its latest end if messages are still queued; one that only waits for last answers is not held."""
    latest_end = Campaign.objects.values_list("latest_end", flat=True).get(pk=campaign_id)
    if latest_end is not None and _queued(campaign_id).exists():
        states.hold(campaign_id, sending_hours.after_its_end(latest_end), HoldKind.LATEST_END)


def _queued(campaign_id: int) -> QuerySet[Batch]:
    return Batch.objects.filter(IS_OPEN_BATCH.implied, campaign=campaign_id, state=BatchState.QUEUED, queued__gt=0)


def _has_more_to_send(campaign: Campaign) -> bool:
    """Whether anything is still to be sent. If not, it only waits for its last answers, and must be able to end."""
    return campaign.audience != Campaign.Audience.FROZEN or _queued(campaign.pk).exists()


def hold_for_account(campaign_id: int) -> bool:
    """Hold a campaign that waits or runs while the account's hold stops it, with that hold's sentence."""
    if not account_hold.is_anything_held():
        return False
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        stopped_by = states.stopped_by(campaign)
        if stopped_by is None:
            return False
        if campaign.state in (CampaignState.RUNNING, CampaignState.SCHEDULED):
            states.hold_for(campaign, stopped_by, None)
    return True


FOLLOWS_FOR = turns.SECONDS + 5  # a turn, and the campaign at its end


def follow_account() -> None:
    """Hold what the account's holds stop, and let go on exactly what they held. Repeated, it changes nothing."""
    with leases.lease("follow account", FOLLOWS_FOR) as lease:
        if lease is None:
            # Each sweep would begin another chain of bells. Who is at it rings for what its turn is too short for; what
            # a hold stops that came after its list was read is found by the next sweep.
            return
        turn = turns.Turn()  # under the lease, which on SQLite may have waited for its lock
        if account_hold.is_anything_held():
            isolation.each(_while(turn, _to_hold()), hold_for_account, "hold of campaign {}".format)
        isolation.each(_while(turn, _to_follow()), _follow, "going on of campaign {}".format)
    if turn.is_over():
        bell.ring(job_names.FOLLOW_ACCOUNT)  # behind the lease, or it would find it held


def _while(turn: turns.Turn, ids: Iterable[int]) -> Iterator[int]:
    """A request of the API makes a campaign of its own, so a hold may apply to very many."""
    for pk in ids:
        turn.has_begun()
        if turn.is_over():
            return
        yield pk


def _to_hold() -> list[int]:
    open_ones = Campaign.objects.filter(state__in=[CampaignState.RUNNING, CampaignState.SCHEDULED])
    stopped = Exists(account_hold.open_holds(OuterRef("application_id")))
    return list(open_ones.filter(Q(pk__in=account_hold.campaigns_held()) | stopped).values_list("pk", flat=True))


def _to_follow() -> Iterator[int]:
    """The ids of campaigns held by an account hold that has ended or has another sentence now; no others are read.

    First come those that just go on: the recipients of the others may have to be counted, which takes time.
    """
    held = Campaign.objects.filter(state=CampaignState.HELD, account_hold__isnull=False)
    for some in (held.exclude(audience=Campaign.Audience.OPEN), held.filter(audience=Campaign.Audience.OPEN)):
        for application_id in some.order_by().values_list("application_id", flat=True).distinct():
            stop = account_hold.stop_for(application_id)
            stopped_still = (
                Q(hold_reason=stop.sentence) if stop else account_hold.is_of_campaign("account_hold", "hold_reason")
            )
            yield from some.filter(application=application_id).exclude(stopped_still).values_list("pk", flat=True)


def _follow(campaign_id: int) -> None:
    campaign = Campaign.objects.get(pk=campaign_id)
    starts = campaign.audience == Campaign.Audience.OPEN and not _has_a_moment(campaign)
    if starts := starts and states.stopped_by(campaign) is None:
        approval_rules.prepare(Campaign, campaign_id)  # what was counted before may have been edited since
    _follow_locked(campaign_id, is_counted=starts)


@transaction.atomic
def _follow_locked(campaign_id: int, *, is_counted: bool) -> None:
    campaign = steps.locked(Campaign, campaign_id)
    if campaign.state != CampaignState.HELD or not campaign.account_hold_id:
        return
    stopped_by = states.stopped_by(campaign)
    is_open = campaign.audience == Campaign.Audience.OPEN
    if stopped_by is None and is_open and _has_a_moment(campaign):
        # Not started here: that its time has passed by too much is looked at where scheduled campaigns start.
        if campaign.scheduled_at is not None and campaign.undo_until is not None:
            campaign.undo_until = undo.until(0)  # somebody resumed it during the hold: only since its end it is late
        states.wait_again(campaign)
    elif stopped_by is None:
        if is_counted or not is_open:  # or it is to start since a moment ago: the next sweep counts and starts it
            _go_on(campaign, None)
    elif stopped_by.sentence != campaign.hold_reason:
        states.hold_for(campaign, stopped_by, None)


def _has_a_moment(campaign: Campaign) -> bool:
    """A time of its own, or it can still be taken back."""
    return campaign.scheduled_at is not None or undo.is_to_come(campaign.undo_until)


def finish_if_done(campaign_id: int) -> bool:
    with transaction.atomic():
        durability.relax()  # lost, it is found done again
        campaign = steps.locked(Campaign, campaign_id)
        if campaign.state != CampaignState.RUNNING or not counting.is_done(campaign):
            return campaign.state == CampaignState.FINISHED
        event = _("Finished: every message has left or was stopped")
        states.move(campaign, CampaignState.FINISHED, event, None, finished_at=timezone.now())
    return True

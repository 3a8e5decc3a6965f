"""The one request of an email campaign: recorded, sent, settled (laws#record-send-settle).

No answer is needed to know that it arrived: the callback's address ends in the campaign's mark, so the first mail that
is told of settles it. A repeat that is refused as a duplicate (−2) says the same of the request before it, where it
can be no duplicate of another campaign's.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable
from functools import partial

from django.db import transaction
from django.db.models import Exists, Q
from django.utils import timezone

from laaffic_console.gateway.models import Channel, EntryState, LedgerEntry
from laaffic_console.gateway.services.account import account_hold, applications
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.database.perseverance import insist
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.gateway.services.work import leases, moments, patience, workers
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import (
    AdFlag,
    EmailBatch,
    InvalidRequest,
    LaafficError,
    NotSent,
    OutcomeUnknown,
    Refused,
    Remedy,
)
from messaging.models import EmailCampaign, EmailCampaignState, HoldKind
from messaging.services import steps
from messaging.services.approvals import approval_rules
from messaging.services.batches.failed_requests import Unfit
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import care as email_care
from messaging.services.email import drafts as email_drafts
from messaging.services.email import hours as email_hours
from messaging.services.email import reports as email_reports
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from messaging.services.email.states import ABOUT, INTERFACE
from messaging.services.gates import frequency

logger = logging.getLogger(__name__)

# An error changes a campaign only in these states: in others it arrived by another request, or was given up.
WAITING_FOR_ANSWER = (EmailCampaignState.SENDING, EmailCampaignState.UNKNOWN)
LOOKED_AT_WITHIN = dt.timedelta(minutes=1)  # its launch has asked Laaffic how list and template stand


def send(campaign_id: int) -> None:
    """Send a campaign whose request waits; a second caller finds the lease taken and goes away."""
    name = f"email:{campaign_id}"
    if leases.is_held(name):
        return
    _look_again(campaign_id)
    with leases.lease(name, patience.LEASE_SECONDS) as lease:
        if lease is None or workers.is_stopping():  # the sweeper rings for it again
            return
        claimed = _claim(campaign_id)
        if claimed is not None:
            _send(*claimed)


def _send(campaign: EmailCampaign, entry: LedgerEntry) -> None:
    """Under the lease: the request, and what came of it, which only this process knows until it is written."""
    unchanged = EmailCampaign.objects.filter(pk=campaign.pk, entry=entry, state=EmailCampaignState.SENDING)
    workers.beat_through_request()
    began = time.monotonic()
    try:
        left_at = ledger.depart(entry.pk, provided=Exists(unchanged), unless_held=True)
    except ledger.DepartureLost as lost:
        insist(partial(settle_error, campaign.pk, entry.pk, lost))
        return
    if left_at is None:
        _called_off(campaign.pk, entry)
        return
    insist(_answered(campaign, entry, began))


def _answered(campaign: EmailCampaign, entry: LedgerEntry, began: float) -> Callable[[], None]:
    """Make the request; what is to be written of its outcome. `began`: before its departure, in monotonic seconds."""
    outcome: LaafficError
    try:
        ledger.must_leave(began, INTERFACE)
        task_id = laaffic_client().email.batch_send(batch_of(campaign)).task_id
    except (LaafficError, InvalidRequest, NotConfigured) as problem:
        outcome = as_outcome(problem)
    except Exception as problem:  # a bug here must not make a campaign look unsent
        logger.exception("sending email campaign %s failed", campaign.pk)
        outcome = OutcomeUnknown(f"our own failure: {type(problem).__name__}", interface="")
    else:
        return partial(settle_accepted, campaign.pk, entry.pk, task_id)
    return partial(settle_error, campaign.pk, entry.pk, outcome)


def send_at_its_moment(campaign_id: int) -> None:
    """Wait for the moment of a request that is near, and send it; the sweeper finds what this misses."""
    waiting = EmailCampaign.objects.filter(pk=campaign_id, state=EmailCampaignState.SENDING)
    until = waiting.values_list("not_before", flat=True).first()
    if until is not None and moments.wait_for(until):
        send(campaign_id)


def batch_of(campaign: EmailCampaign) -> EmailBatch:
    return EmailBatch(
        app_id=campaign.application.app_id,
        from_address=campaign.from_address,
        receiver_id=campaign.receiver_id,
        subject=campaign.subject,
        template_id=campaign.template_id,
        url=email_starting.callback_url(campaign),
        language=campaign.language,
        ad_flag=None if campaign.ad_flag is None else AdFlag(campaign.ad_flag),
        trigger_id=campaign.trigger_id,
        unsubscribe=campaign.unsubscribe,
    )


def as_outcome(problem: LaafficError | InvalidRequest | NotConfigured) -> LaafficError:
    """The problem as one of the three outcomes of a request, also if it stopped the request before it left."""
    if isinstance(problem, InvalidRequest):
        return Unfit(problem)
    return problem if isinstance(problem, LaafficError) else NotSent(str(problem), interface=INTERFACE)


def _look_again(campaign_id: int) -> None:
    """The list and the template may be others by now: how they stand is asked before a lease or a lock is held."""
    over = Q(entry=None) | ~Q(entry__state__in=[EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.ACCEPTED])
    its_turn = Q(not_before=None) | Q(not_before__lte=database_clock.now())
    waiting = EmailCampaign.objects.filter(over, its_turn, pk=campaign_id, state=EmailCampaignState.SENDING)
    campaign = waiting.first()
    if campaign is not None and (_has_waited(campaign) or _was_launched_long_ago(campaign)):
        approval_rules.prepare(EmailCampaign, campaign_id)


def _has_waited(campaign: EmailCampaign) -> bool:
    """Whether it waited, for its hours or for another try."""
    return campaign.waits_for_hours or campaign.not_before is not None


def _was_launched_long_ago(campaign: EmailCampaign) -> bool:
    """No worker ran, or its hours were put aside."""
    return campaign.launched_at is not None and campaign.launched_at < timezone.now() - LOOKED_AT_WITHIN


@transaction.atomic
def _claim(campaign_id: int) -> tuple[EmailCampaign, LedgerEntry] | None:
    """Under the lease: record the request, unless its time has not come or an earlier one may have left."""
    campaign = steps.locked(EmailCampaign, campaign_id)
    now = database_clock.now()
    if campaign.state != EmailCampaignState.SENDING or (campaign.not_before and campaign.not_before > now):
        return None
    if campaign.entry and not _is_over(campaign, campaign.entry):
        return None
    is_first = not email_states.may_have_arrived(campaign)
    is_asked_anew = _has_waited(campaign) or is_first
    if not _is_its_hour(campaign, now):
        return None
    # A repeat by a person's word is asked for its approval with that word, not here, unless it has waited since.
    if stopped := applications.stop_of(campaign.application):
        email_states.hold(campaign, stopped)
        return None
    if stopped := (is_asked_anew and approval_rules.missing(campaign)) or _care(campaign):
        email_states.hold(campaign, stopped)
        return None
    if is_first:
        email_starting.remember_choices(campaign)  # its list may have grown or shrunk since the launch
    taken = email_states.budgets_of(campaign)
    if used_up := taken.stop():
        email_states.hold(campaign, used_up)
        return None
    campaign.attempt += 1
    campaign.entry = ledger.prepare(
        interface=INTERFACE,
        application=campaign.application,
        about_kind=ABOUT,
        about_id=campaign.pk,
        summary=email_drafts.summary_of(campaign),
        digest=email_drafts.digest_of(campaign),
        attempt=campaign.attempt,
        worker=workers.worker_name(),
        requested_by=campaign.created_by,
    )
    campaign.save(update_fields=["attempt", "entry"])
    taken.count(campaign.entry)
    return campaign, campaign.entry


def _care(campaign: EmailCampaign) -> str:
    """Two campaigns that reach one list are counted one after the other."""
    if frequency.cap_for(campaign.application_id, campaign.purpose):
        frequency.count_alone(Channel.EMAIL)
    return email_care.stops(campaign)


def _is_its_hour(campaign: EmailCampaign, now: dt.datetime) -> bool:
    """Under the campaign's lock: what may not leave now waits until it may, or is held."""
    opens = email_hours.opens_at(campaign, now)
    if ended := email_hours.ended(campaign, now):
        email_states.hold(campaign, ended, HoldKind.LATEST_END)
    elif opens is None:
        email_states.hold(campaign, email_hours.never())
    elif opens > now:
        campaign.not_before, campaign.wait_reason, campaign.waits_for_hours = opens, email_hours.waits(), True
        campaign.save(update_fields=["not_before", "wait_reason", "waits_for_hours"])
    else:
        campaign.wait_reason, campaign.waits_for_hours = "", False
        campaign.save(update_fields=["wait_reason", "waits_for_hours"])
        return True
    return False


def _is_over(campaign: EmailCampaign, entry: LedgerEntry) -> bool:
    """Whether the request before this one leaves the way free. We hold the lease, so its worker is dead."""
    died = "its worker died before the request left"
    if entry.state == EntryState.PREPARED:
        # If it leaves at this very moment, the next look finds it in flight.
        return bool(ledger.take_back(ledger.only(entry.pk), died))
    if entry.state == EntryState.IN_FLIGHT:
        lost = OutcomeUnknown("its worker died after the request may have left", interface=INTERFACE)
        if ledger.lose(ledger.only(entry.pk), lost.message):
            _mark_unknown(campaign, lost)
        return False
    if entry.state == EntryState.ACCEPTED:
        email_campaigns.arrived(campaign, _("Laaffic has it: its request was accepted"))
        return False
    return True  # refused, not sent, or unknown and sent again by a person's word


@transaction.atomic
def _called_off(campaign_id: int, entry: LedgerEntry) -> None:
    """The request did not leave: the account is held, or somebody stopped the campaign."""
    campaign = steps.locked(EmailCampaign, campaign_id)
    stopped_by = account_hold.stop_for(campaign.application_id)
    why = stopped_by.sentence if stopped_by else _("stopped before the request left")
    is_ours = bool(ledger.take_back(ledger.only(entry.pk), why)) and campaign.entry_id == entry.pk
    if is_ours and stopped_by and campaign.state == EmailCampaignState.SENDING:
        email_states.hold(campaign, stopped_by.sentence, HoldKind.ACCOUNT)


@transaction.atomic
def settle_accepted(campaign_id: int, entry_id: int, task_id: str) -> None:
    campaign = steps.locked(EmailCampaign, campaign_id)
    email_reports.told_by_answer(campaign, entry_id, task_id)
    ledger.settle_accepted(
        entry_id, evidence=known_by.answer(f"task {task_id}") if task_id else email_reports.WITHOUT_TASK
    )
    if task_id and not campaign.task_id:
        campaign.task_id = task_id[:64]
        campaign.save(update_fields=["task_id"])
    elif task_id and task_id[:64] != campaign.task_id:
        email_campaigns.note_second_task(campaign, task_id)
    email_campaigns.arrived(campaign, _("Laaffic has taken it as task %(id)s") % {"id": task_id or "–"})


@transaction.atomic
def settle_error(campaign_id: int, entry_id: int, error: LaafficError) -> None:
    """The three branches (ledger#three-outcomes); what a callback has settled already stays settled."""
    campaign = steps.locked(EmailCampaign, campaign_id)
    if not ledger.settle_error(entry_id, error) or campaign.entry_id != entry_id:
        return
    if isinstance(error, Refused) and error.calls_for in account_hold.HOLDING:
        account_hold.place(error, entry_id=entry_id)
    if isinstance(error, Refused) and error.says_duplicate and _duplicate_proves(campaign, entry_id):
        return
    if campaign.state not in WAITING_FOR_ANSWER:
        return
    match error:
        case OutcomeUnknown():
            _mark_unknown(campaign, error)
        case Refused() if error.calls_for in account_hold.HOLDING:
            email_states.hold(campaign, code_words.refused(error), HoldKind.ACCOUNT)
        case Refused() if error.calls_for is not Remedy.RETRY:
            email_states.hold(campaign, code_words.refused(error))
        case Refused():
            _try_later(campaign, code_words.refused(error, repeats=True), error.retry_after)
        case Unfit():
            sentence = _("Its requests cannot be made (%(why)s), so nothing was sent. Correct that, then resume.")
            if email_states.may_have_arrived(campaign):
                sentence = _("Its request cannot be made again (%(why)s). The first one may have arrived all the same.")
            email_states.hold(campaign, sentence % {"why": error.message[:150]})
        case ledger.StayedHere():
            _try_later(campaign, error.sentence)
        case NotSent():
            _try_later(campaign, _("The gateway cannot be reached (%(why)s).") % {"why": error.message})


def _mark_unknown(campaign: EmailCampaign, error: OutcomeUnknown) -> None:
    if campaign.state == EmailCampaignState.SENDING:
        event = _("Laaffic's answer was lost (%(why)s). A callback settles it, or a person by hand.") % {
            "why": error.message
        }
        email_states.move(campaign, EmailCampaignState.UNKNOWN, event, None)


def _duplicate_proves(campaign: EmailCampaign, entry_id: int) -> bool:
    """−2 after a lost answer: that request arrived. False where none was lost: then it is a refusal.

    How Laaffic recognises duplicates, and for how long, is not documented. So if another campaign went to the same
    list, the lost request stays unknown.
    """
    if email_states.requests_of(campaign).filter(state=EntryState.ACCEPTED).exists():
        return True  # that one is known by now, and what else was lost is not
    open_states = (EntryState.UNKNOWN, EntryState.LAPSED)
    lost = email_states.requests_of(campaign).filter(state__in=open_states).exclude(pk=entry_id)
    earlier = lost.order_by("-pk").first()
    if earlier is None:
        return False
    if email_states.has_a_double(campaign):
        if campaign.state not in WAITING_FOR_ANSWER:
            return True  # a person's word stands
        event = _("The repeat was refused as a duplicate, which another campaign to this list may explain as well")
        campaign.entry = earlier
        campaign.save(update_fields=["entry"])
        email_states.move(campaign, EmailCampaignState.UNKNOWN, event, None)
        return True
    ledger.settle_accepted(earlier.pk, evidence=known_by.request(f"request {entry_id} was refused as its duplicate"))
    campaign.entry = earlier
    campaign.save(update_fields=["entry"])
    email_campaigns.arrived(campaign, _("The repeat was refused as a duplicate: the first request had arrived"))
    return True


def _try_later(campaign: EmailCampaign, why: str, at_least: float = 0.0) -> None:
    """Certain that nothing was sent: again by itself, later each time, also where its answer had been given up."""
    if campaign.state == EmailCampaignState.UNKNOWN:
        if email_states.may_have_arrived(campaign):
            return
        email_states.move(campaign, EmailCampaignState.SENDING, _("Its request did not leave, for certain"), None)
    pause = max(min(60.0, 2.0 * 2 ** min(campaign.attempt, 10)), at_least)
    campaign.not_before = database_clock.now() + dt.timedelta(seconds=pause)
    campaign.wait_reason = why
    campaign.save(update_fields=["not_before", "wait_reason"])

"""Asking for reports that were not pushed: by id for what is pending, and by time as a sweep."""

import datetime as dt
import logging
import random
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.work import bell, due, leases, patience, turns, workers
from laaffic_console.gateway.services.work.patience import ENDLESS, NotAsked, Patience
from laaffic_console.laaffic import (
    Code,
    LaafficClient,
    LaafficError,
    ReportPage,
    oldest_sent_record,
    sent_record_windows,
)
from messaging.models import Batch, BatchState, Message, MessageState
from messaging.services import events
from messaging.services.batches import answers
from messaging.services.channels import channels
from messaging.services.reports import doubtful_amounts, record_matching, reports
from messaging.services.reports.abnormal_ids import Question, TooManyAbnormal, in_parts
from messaging.services.reports.readings import Trouble
from messaging.services.reports.record_matching import Strays, Sweep, Window
from messaging.services.tallies import sent_tallies, tally_writes
from messaging.wire import gateway_ids

logger = logging.getLogger(__name__)

T = TypeVar("T")

JOB = "messaging.jobs.pull_reports"
AFTER_TROUBLE = dt.timedelta(minutes=10)
# How long after its window a batch is asked for in part, as very many ids are abnormal, before it is given up.
PASSES_AT_ABNORMAL = dt.timedelta(days=1)
READING_SECONDS = 150.0  # enough to find the part of a list that has no answer
SINCE_SECONDS = 40.0  # of them, for all records since a message left: at 50,000 an answer, a million or two

IDS_PER_CALL = 200
ROWS_AT_ONCE = 1000
BATCHES_AT_ONCE = 100
LONGEST_READING = dt.timedelta(days=1)  # one list is read in one go, with a mark of each of its rows in memory

CLOCKS_DIFFER_BY = record_matching.CLOCKS_DIFFER_BY

# How long after the answer the next question is asked: often while reports are due, seldom later (seconds).
CHECK_AFTER = (30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600)


def pull_due() -> None:
    """Ask about batches whose reports are overdue, for a while."""
    with leases.lease("pull:sms", patience.LEASE_SECONDS) as lease:
        if lease is None:
            return
        asking = Patience(lease, seconds=READING_SECONDS)
        try:
            client = laaffic_client()
        except NotConfigured:
            return
        turn = turns.Turn()
        while lease.renew() and (batch := _next_due()):
            workers.beat()
            turn.has_begun()
            if turn.is_over() or asking.is_over():
                bell.ring(JOB)
                return
            _check_apart(client, batch, asking)


WAITS = due.by_steps("checks", CHECK_AFTER, AFTER_TROUBLE)


def is_due() -> Q:
    return due.come("next_check_at", WAITS)


def anything_due() -> bool:
    return any(batches.exists() for batches in _due())


def _next_due() -> Batch | None:
    found = (batches.order_by("next_check_at").select_related("campaign__application").first() for batches in _due())
    return next((batch for batch in found if batch), None)


def _due() -> tuple["QuerySet[Batch]", "QuerySet[Batch]"]:
    """The due batches, as two queries: very many may wait for their time, and few of these have a wrong one."""
    now = database_clock.now()
    return (
        Batch.objects.filter(next_check_at__lte=now),
        Batch.objects.filter(due.misdated("next_check_at", WAITS, now)),
    )


def _check_apart(client: LaafficClient, batch: Batch, asking: Patience) -> None:
    """Whatever happens to it, this batch is asked about later, and the next one now: also where this process is
    killed over it, which nobody can write then.
    """
    if not _put_off(batch):
        return  # another has asked about it in the meantime
    with isolation.guarded(f"reports of batch {batch.pk}"):
        try:
            check_batch(client, batch, asking)
        except TooManyAbnormal as problem:
            logger.warning("getReport for batch %s: %s", batch.pk, problem)
            if _is_late(batch, timezone.now() - PASSES_AT_ABNORMAL):
                check_again(batch)  # it was asked for all day, each time from another one on
        except NotAsked:
            return  # it is put off: its last question is still to come
        except LaafficError as error:
            logger.warning("getReport for batch %s: %s", batch.pk, error)
            check_again(batch)


def put_off(some: Iterable[Batch]) -> None:
    """Put off those of these batches that are due: while nobody answers, the next would only wait as long again."""
    soon = database_clock.in_statement() + AFTER_TROUBLE
    Batch.objects.filter(is_due(), pk__in=[batch.pk for batch in some]).update(next_check_at=soon)


def task_seconds() -> float:
    """Before the process of a job is ended, which begins no request after READING_SECONDS."""
    return READING_SECONDS + 3 * sum(settings.LAAFFIC_TIMEOUTS)


def _put_off(batch: Batch) -> bool:
    as_found = Batch.objects.filter(pk=batch.pk, next_check_at=batch.next_check_at)
    return bool(as_found.update(next_check_at=database_clock.in_statement() + AFTER_TROUBLE))


def check_batch(client: LaafficClient, batch: Batch, asking: Patience = ENDLESS) -> None:
    """Ask for the batch's overdue reports as its channel does, and set when to ask again."""
    answers.write_one(batch.pk)
    asked_at = timezone.now()
    channels.of(batch.campaign).look_for_reports(client, batch, asking)
    check_again(batch, asked_at)


def look_for_reports(client: LaafficClient, batch: Batch, asking: Patience) -> None:
    """Ask for pending messages by id, and look in the records by number for those that have no id."""
    unasked: TooManyAbnormal | None = None
    try:
        ask_by_id(client, batch, asking)
    except TooManyAbnormal as problem:
        unasked = problem
    if batch.state == BatchState.UNKNOWN or (batch.accepted and _without_id(batch.messages()).exists()):
        look_in_records(client, batch, asking)
    if unasked:
        raise unasked


def ask_by_id(client: LaafficClient, batch: Batch, asking: Patience = ENDLESS) -> None:
    """getReport for what is pending; an id that is absent from the answer is not yet known, never failed."""
    app_id = batch.campaign.application.app_id
    ids = _pending(batch).values_list("gateway_id", flat=True)
    wanted = dict.fromkeys([*ids, *doubtful_amounts.to_ask_for(batch)])
    known = [gateway_id for gateway_id in wanted if gateway_id and gateway_ids.can_be_asked_for(gateway_id)]
    pending, question = _from_anywhere(known), Question("getReport", partial(_get_report, client), Code.FIELD_EMPTY)
    for start in range(0, len(pending), IDS_PER_CALL):
        asking.check("getReport")
        asked = pending[start : start + IDS_PER_CALL]
        for page in in_parts(question, app_id, asked, asking):
            reports.apply_each(page.reports)


def _get_report(client: LaafficClient, app_id: str, ids: Sequence[str]) -> ReportPage:
    return client.get_report(app_id=app_id, msg_ids=ids)


def _from_anywhere(ids: list[str]) -> list[str]:
    """Beginning with another one each time: where very many are abnormal, the first ones are all that is asked for."""
    first = random.randrange(len(ids)) if ids else 0  # noqa: S311 - no secret
    return ids[first:] + ids[:first]


def look_in_records(client: LaafficClient, asked_for: Batch, asking: Patience = ENDLESS) -> None:
    """One sweep over the windows of all requests of this batch's application whose answer was lost, and one over the
    time since for those that stay unknown; of a batch whose messages were accepted without an id, over the windows of
    all such batches that are due.

    LaafficError, when all that could be read is applied, where something could not.
    """
    application = asked_for.campaign.application
    is_lost = asked_for.state == BatchState.UNKNOWN
    unknown = record_matching.unknown_batches(application)
    batches = list(unknown) if is_lost else [asked_for, *_due_without_ids(application).exclude(pk=asked_for.pk)]
    asked_at = timezone.now()
    trouble, sweeps, asked = Trouble("getSentRcd", asking), [], []
    for window in _its_own_first(asked_for, record_matching.windows_of(batches)):
        if not trouble.may_ask():
            break
        sweeps.append(_sweep(client, application, window, trouble))
        if not (sweeps[-1].unread and asking.is_over()):  # or the time was up before all of it was asked for
            asked.append(window)
    if is_lost and not trouble.is_away:
        sweeps += _since(client, asked_for, sweeps, asking.at_most(SINCE_SECONDS))
    for batch in batches:
        record_matching.say_not_found(batch, asked_at, sweeps)
        # Others whose time has come have had their answer with this sweep.
        is_due = batch.next_check_at and batch.next_check_at <= asked_at
        if batch.pk != asked_for.pk and is_due and _is_within(batch, asked):
            check_again(batch, asked_at)
    if trouble.is_away:
        put_off(batches)
    if not isinstance(trouble.first, NotAsked) or not _is_within(asked_for, asked):  # the others' turn comes
        trouble.tell()


def _since(client: LaafficClient, asked_for: Batch, sweeps: Sequence[Sweep], asking: Patience) -> list[Sweep]:
    """One sweep more for those that stay unknown, from when they left until now: records may tell when a message was
    delivered. Their own windows were read first, as these settle what can be settled.

    Where an application sends so much that this cannot be read in the time, nothing is concluded: whatever stopped it
    is no trouble of the batch that was asked for.
    """
    application, now, trouble = asked_for.campaign.application, timezone.now(), Trouble("getSentRcd", asking)
    found: list[Sweep] = []
    windows = record_matching.long_windows_of(_not_in(sweeps, application, now), now)
    for window in _its_own_first(asked_for, windows):
        if not trouble.may_ask():
            break
        if not any(sweep.covers(window) for sweep in sweeps):
            found.append(_sweep(client, application, window, trouble))
    return found


def _not_in(sweeps: Sequence[Sweep], application: Application, now: dt.datetime) -> list[Batch]:
    """Unknown batches whose windows are over and were read whole."""
    return [
        batch
        for batch in record_matching.unknown_batches(application)
        if (own := record_matching.window_of_call(batch.entry)) is not None
        and own[1] <= now
        and any(sweep.covers(own) for sweep in sweeps)
    ]


def _due_without_ids(application: Application) -> "QuerySet[Batch]":
    """Of the next due batches those whose accepted messages have no ids at all: nothing else is asked about them."""
    due = Batch.objects.filter(is_due(), campaign__application=application, accepted__gt=0)
    next_due = list(due.order_by("next_check_at").values_list("pk", flat=True)[:BATCHES_AT_ONCE])
    messages = Message.objects.filter(
        pk__gte=OuterRef("first_message_id"), pk__lte=OuterRef("last_message_id"), batch=OuterRef("pk")
    )
    pending = messages.filter(state=MessageState.ACCEPTED)
    found = Batch.objects.filter(Exists(_without_id(pending)), ~Exists(_with_id(pending)), pk__in=next_due)
    return found.select_related("entry").order_by("pk")


def _its_own_first(batch: Batch, windows: Sequence[Window]) -> list[Window]:
    """Each has its turn, also where others have no answer and end the round."""
    return sorted(windows, key=lambda window: not _is_within(batch, [window]))


def _is_within(batch: Batch, windows: Iterable[Window]) -> bool:
    """Whether its request was under way in one of these; also where nothing says when it was."""
    own = record_matching.window_of_call(batch.entry)
    return own is None or any(start <= own[0] and own[1] <= end for start, end in windows)


def _pending(batch: Batch) -> QuerySet[Message]:
    return _with_id(batch.messages().filter(state=MessageState.ACCEPTED))


def _with_id(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.exclude(gateway_id=None)


def _without_id(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.filter(state=MessageState.ACCEPTED, gateway_id=None)


def check_again(batch: Batch, asked_at: dt.datetime | None = None) -> None:
    """`asked_at`: when the last question was put; one that was put within the window is not its last."""
    batch.refresh_from_db(fields=["accepted", "unknown", "checks", "claimed_at"])
    is_late = _is_late(batch, asked_at or timezone.now())
    if is_late and batch.accepted:
        expire(batch.pk)
    # What is unknown never expires by itself: past the window it waits for a person's word.
    if is_late or not (batch.accepted or batch.unknown):
        Batch.objects.filter(pk=batch.pk).update(next_check_at=None)
        return
    pause = CHECK_AFTER[min(batch.checks + 1, len(CHECK_AFTER) - 1)]
    Batch.objects.filter(pk=batch.pk).update(
        next_check_at=database_clock.in_statement() + dt.timedelta(seconds=pause), checks=min(batch.checks + 1, 1000)
    )


def _is_late(batch: Batch, asked_at: dt.datetime) -> bool:
    waited = asked_at - batch.claimed_at if batch.claimed_at else dt.timedelta()
    return waited > dt.timedelta(hours=settings.REPORT_WINDOW_HOURS) and waited > _longest(batch)


def _longest(batch: Batch) -> dt.timedelta:
    """How long Laaffic may try by itself, plus the longest time between two looks; 0 if it does not try."""
    tries = channels.of(batch.campaign).tries_for(batch.campaign)
    return tries + dt.timedelta(seconds=CHECK_AFTER[-1]) if tries else tries


def expire(batch_id: int) -> None:
    """No final report within the window: nothing more is asked; a late report still counts."""
    answers.write_one(batch_id)  # in a transaction of its own: it moves tallies that come last in a transaction
    _expire(batch_id)


@transaction.atomic
def _expire(batch_id: int) -> None:
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    with sent_tallies.following(batch):
        _expire_waiting(batch)


def _expire_waiting(batch: Batch) -> None:
    waiting = batch.messages().filter(state=MessageState.ACCEPTED)
    # A report on the way may have said a reason and a price already: they are counted as they are on the message.
    standing = waiting.order_by().values_list("country", "reason", "currency")
    sums = standing.annotate(n=Count("pk"), billed=Sum("billed_segments", default=0), paid=Sum("pay_micros", default=0))
    outcomes: dict[tally_writes.Outcome, tuple[int, int, int]] = {
        (country, MessageState.EXPIRED, reason, currency): (n, billed, paid)
        for country, reason, currency, n, billed, paid in sums
    }
    moved = dict.fromkeys(waiting.values_list("pk", flat=True), int(MessageState.ACCEPTED))
    expired = waiting.update(
        state=MessageState.EXPIRED, evidence=f"no final report within {settings.REPORT_WINDOW_HOURS} hours"
    )
    Batch.objects.filter(pk=batch.pk).update(
        accepted=F("accepted") - expired, expired=F("expired") + expired, next_check_at=None
    )
    tally_writes.count_outcomes(batch.campaign_id, outcomes)
    tally_writes.count_activity(batch.campaign_id, {MessageState.EXPIRED: expired}, timezone.now())
    events.messages_moved(moved)


def _sweep(client: LaafficClient, application: Application, period: Window, trouble: Trouble) -> Sweep:
    """Apply every record that the gateway finished between two moments.

    Where the reading broke off or cannot have seen everything, what it saw is applied; nothing more is concluded.
    """
    now = timezone.now()
    answers.write_all(Batch.objects.filter(campaign__application=application))
    strays = Strays(application)
    seen = unreadable = 0

    def read(window: Window) -> None:
        nonlocal seen, unreadable
        rows = problems = 0
        pages = client.sent_record_pages(
            app_id=application.app_id, start=window[0], end=window[1], before_each=trouble.check
        )
        for page in pages:
            for records in batched(page.records, ROWS_AT_ONCE):
                known = reports.apply_each(records)
                strays.add([record for record, is_known in zip(records, known, strict=True) if not is_known])
                workers.beat()
            rows, problems = rows + len(page.records), problems + len(page.problems)
        # Once it is whole: what breaks off is read again in halves.
        seen, unreadable = seen + rows, unreadable + problems

    unread = trouble.read(sent_record_windows(*period, now, LONGEST_READING), read)
    begin = max(period[0], oldest_sent_record(now))
    strays.settle((begin, period[1]), unread)
    return Sweep(begin, period[1], seen, unreadable + strays.unreadable, strays.undecided, unread)


def reconcile(application: Application, start: dt.datetime, end: dt.datetime) -> int:
    """Everything the vendor's records say between two moments; what they do not have says so. How many there were.

    LaafficError, when all that could be read is applied, where something could not.
    """
    batches = list(record_matching.unknown_batches(application))
    asked_at = timezone.now()
    trouble = Trouble("getSentRcd")
    sweep = _sweep(laaffic_client(), application, (start, end), trouble)
    for batch in batches:
        record_matching.say_not_found(batch, asked_at, [sweep])
    trouble.tell()
    return sweep.seen


def batched(records: Iterable[T], size: int) -> Iterator[list[T]]:
    stream = iter(records)
    while page := list(islice(stream, size)):
        yield page


def minutes_with_pending(application: Application) -> tuple[dt.datetime, dt.datetime] | None:
    """The span in which an application's messages without a final report were sent. What a restore made unknown may
    have left long before it was said so.
    """
    open_batches = Batch.objects.filter(campaign__application=application).exclude(accepted=0, unknown=0)
    first = open_batches.order_by("claimed_at").values_list("claimed_at", flat=True).first()
    if first is None:
        return None
    windows = record_matching.windows_of(record_matching.unknown_batches(application))
    starts = [first - dt.timedelta(minutes=5) - CLOCKS_DIFFER_BY, *(start for start, _end in windows[:1])]
    return min(starts), timezone.now()

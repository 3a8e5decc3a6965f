"""Judging delivery reports, from wherever they come (pushed, asked for by id, swept by time): what each moves of its
message. `report_targets` finds that, `reported_rows` reads the messages under lock and writes what has changed.

Reports may be late, repeated, reordered or contradict each other. A message only ever moves to a higher state, so every
order of the same reports ends the same (laws#best-report-wins). What contradicts the end is written down beside it.
"""

import copy
import datetime as dt
import logging
import operator
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.laaffic import DeliveryReport, DeliveryState, Source
from messaging.models import Batch, EarlierAttempt, MessageEvent, MessageState
from messaging.services.batches import earlier_attempts, own_segments
from messaging.services.reports import doubtful_amounts, report_targets, reported_rows, standing_amounts
from messaging.services.reports.reported_rows import COLUMNS, Alike, Row
from messaging.services.reports.standing_amounts import Rank
from messaging.wire import networks

logger = logging.getLogger(__name__)

STATE_OF = {
    DeliveryState.DELIVERED: MessageState.DELIVERED,
    DeliveryState.FAILED: MessageState.UNDELIVERED,
    DeliveryState.PENDING: MessageState.ACCEPTED,
}

REASON_FROM = (MessageState.ACCEPTED, MessageState.UNDELIVERED)  # a push that is to be confirmed may tell it
CONFIRM_AFTER = dt.timedelta(seconds=10)

OF_ONE = COLUMNS.index("batch_id")  # the columns before are each message's own; those from here on are often alike
ATTEMPT = COLUMNS.index("attempt")
CAMPAIGN = COLUMNS.index("campaign_id")
PAY = COLUMNS.index("pay_micros")
OF_ONE_REPORT = ("msg_id", "number", "order_id", "at")
_alike_of_report = operator.itemgetter(
    *(at for at, name in enumerate(DeliveryReport._fields) if name not in OF_ONE_REPORT)
)


def apply(reports: Sequence[DeliveryReport], *, how: str = "") -> list[bool]:
    """Apply reports in the caller's transaction; for each, whether its message is known.

    `how` is added to the evidence of what they settle: how a report was found to be a message's.
    """
    reports = report_targets.with_kept_ids(reports)
    found = _Found(reports)
    applying = _Applying(found, how)
    known = [
        target is not None and applying.take(report, target)
        for report, target in zip(reports, found.targets, strict=True)
    ]
    reported_rows.write([row for row in applying.rows() if row.touched])
    _keep_new(applying.events)
    _ask_soon(applying.asked_for)
    return known


class _Found:
    """The messages that reports are about, as their rows say it, with their batches locked."""

    def __init__(self, reports: Sequence[DeliveryReport]) -> None:
        self.targets, batch_of = report_targets.targets_of(reports)
        pks = [target[0] for target in self.targets if target is not None]
        self.several = {pk for pk, n in Counter(pks).items() if n > 1} if len(set(pks)) < len(pks) else set[int]()
        self.values, self.answered = reported_rows.locked(sorted(set(pks)), batch_of)
        self._app_ids: dict[int, str] | None = None

    def is_of_another_application(self, report: DeliveryReport, row: Row) -> bool:
        if not report.app_id:
            return False
        if self._app_ids is None:
            self._app_ids = report_targets.app_ids({values[CAMPAIGN] for values in self.values.values()})
        return report_targets.is_of_another_application(report, self._app_ids[row.campaign_id])

    def row(self, pk: int) -> Row:
        return reported_rows.as_found(self.values[pk], self.answered)


class _Applying:
    """The reports of one transaction, one after the other, and what is to be written of them."""

    def __init__(self, found: _Found, how: str) -> None:
        self.found = found
        self.how = how
        self.events: list[MessageEvent] = []
        self.judge = doubtful_amounts.Judge()
        self.asked_for: set[int] = set()
        self._singles: dict[int, Row] = {}
        self._alike: dict[tuple[Any, ...], Row | None] = {}  # None: of these each is looked at
        self._ranks: dict[int, Rank] | None = None
        self._new_ranks: dict[int, Rank] = {}

    def rows(self) -> list[Row]:
        return [*self._singles.values(), *(row for row in self._alike.values() if row is not None)]

    def take(self, report: DeliveryReport, target: report_targets.Target) -> bool:
        """Whether the message is there and the report about it."""
        pk, found = target[0], self.found
        if (values := found.values.get(pk)) is None:
            return False
        _pk, number, gateway_id, reported_at = values[:OF_ONE]
        if (
            report.number == number
            and report.msg_id == gateway_id
            and reported_at is None
            and target[1] in (None, values[ATTEMPT])
            and pk not in found.several
            and pk not in found.answered
            and (values[PAY] is None or pk not in self.ranks)
        ):
            key = (values[OF_ONE:], _alike_of_report(report), report.at is None)
            if key not in self._alike:
                self._alike[key] = self._first_alike(report, values)
            if (row := self._alike[key]) is not None and row.alike is not None:
                row.alike.pks.append(pk)
                row.alike.moments.append(report.at)
                return True
        if (row := self._singles.get(pk)) is None:
            row = self._singles[pk] = found.row(pk)
        return self._take_one(report, row, target)

    @property
    def ranks(self) -> dict[int, Rank]:
        """{message: the rank of its amount} where its own columns do not say it; of all, once one of them matters."""
        if self._ranks is None:
            self._ranks = standing_amounts.kept([pk for pk, its in self.found.values.items() if its[PAY] is not None])
        return self._ranks

    def _first_alike(self, report: DeliveryReport, values: tuple[Any, ...]) -> Row | None:
        """The row as its report leaves it, to stand for all that are alike; None where more than columns that such
        rows share, and the moment of the report, comes of it: a word beside the message, a question, evidence."""
        events, row = len(self.events), reported_rows.as_found(values, {})
        if _is_to_be_confirmed(report) or self.found.is_of_another_application(report, row):
            return None
        is_doubtful = self._fold(row, report)
        is_own = row.evidence != values[COLUMNS.index("evidence")]
        if len(self.events) > events or is_doubtful or is_own or reported_rows.is_unanswered(row):
            del self.events[events:]
            self._new_ranks.pop(row.pk, None)
            return None
        row.alike = Alike()
        return row

    def _take_one(self, report: DeliveryReport, row: Row, target: report_targets.Target) -> bool:
        if not report_targets.is_about(report, row, by_id=target[2]):
            return False
        if self.found.is_of_another_application(report, row):
            return False
        if report_targets.is_about_another_id(report, row, target[1]):
            return False
        if _is_to_be_confirmed(report):
            self.asked_for.add(row.batch_id)
            _keep_reason(row, target[1], report)
        elif target[1] is not None and target[1] < row.attempt:
            self._fold_earlier(row, target[1], report)
        elif self._fold(row, report):
            self.asked_for.add(row.batch_id)
        return True

    def _fold(self, row: Row, report: DeliveryReport) -> bool:
        """Take what a report of the last sending says. True if its amount cannot be right."""
        if (state := STATE_OF.get(report.state)) is None:
            return False
        before, had_none = standing_amounts.rank_of(row), row.pay_micros is None
        is_taken, is_doubtful = self._fold_amount(row, state, report)
        _fold_state(row, state, report, self.events, self.how)
        now = standing_amounts.rank_of(row)
        if is_taken:
            its_rank = standing_amounts.rank(state, report.source)
            if its_rank.state != now.state or (not had_none and self._kept_rank(row.pk)):
                self._keep_rank(row, its_rank)
        elif before.state != now.state:
            self._keep_rank_of_worse(row, before)
        return is_doubtful

    def _fold_amount(self, row: Row, state: MessageState, report: DeliveryReport) -> tuple[bool, bool]:
        """Take over the amount if this is the best report that has one: (it is the row's now, it cannot be right)."""
        if (told := standing_amounts.of_report(report)) is None:
            _fold_segments(row, report)
            return False, False
        there = standing_amounts.of_row(row)
        its_rank = self._kept_rank(row.pk) or standing_amounts.rank_of(row)
        rank_of_told = standing_amounts.rank(state, report.source)
        if told == there:  # as when it is repeated: now a better report says it, too
            if rank_of_told <= its_rank:
                return state > row.state, False
            if MessageState.ACCEPTED < state == row.state:
                row.report_source, row.touched = report.source, True
            return True, False
        if there is not None and not standing_amounts.wins(told, rank_of_told, there, its_rank):
            return False, False
        if _is_doubtful(row, report, self.judge):
            said = f"told as {report.pay} {report.currency}; not counted before getReport says the same"
            self.events.append(_event(row, report, said.replace("  ", " "), doubtful_amounts.SOURCE))
            return False, True
        row.pay_micros, row.currency, row.billed_segments = told
        if MessageState.ACCEPTED < state == row.state:
            row.report_source = report.source  # of those that say the same, the one whose amount it is
        row.touched = True
        return True, False

    def _kept_rank(self, pk: int) -> Rank | None:
        return self._new_ranks.get(pk) or self.ranks.get(pk)

    def _keep_rank_of_worse(self, row: Row, before: Rank) -> None:
        """A better report names no amount: keep whose the row's is, if it has one."""
        if row.pay_micros is not None and self._kept_rank(row.pk) is None:
            self._keep_rank(row, before)

    def _keep_rank(self, row: Row, its_rank: Rank) -> None:
        self._new_ranks[row.pk] = its_rank
        self.events.append(standing_amounts.event(row.pk, its_rank))

    def _fold_earlier(self, row: Row, attempt: int, report: DeliveryReport) -> None:
        """Note a report about an earlier sending on that sending's own row. Only a delivery takes a waiting message
        out."""
        state = STATE_OF.get(report.state)
        if state is None:
            return
        kept = earlier_attempts.keep_report(row.pk, attempt, state, report.msg_id)
        said = f"attempt {attempt} was reported {state.label.lower()}: {report.msg_id} {_clean(report.reason)}".strip()
        if state == MessageState.DELIVERED and row.state < state:
            said += _of_what_waited(row, kept) if row.state == MessageState.QUEUED else ""
            before = standing_amounts.rank_of(row)
            row.state, row.reason = state, ""
            row.report_source, row.reported_at = report.source, report.at
            row.touched = True
            self._keep_rank_of_worse(row, before)
        elif state == row.state == MessageState.DELIVERED:
            _fold_time(row, report)
        self.events.append(_event(row, report, said))
        self._fold_earlier_amount(row, kept, state, report)

    def _fold_earlier_amount(self, row: Row, kept: EarlierAttempt, state: int, report: DeliveryReport) -> None:
        if (told := standing_amounts.of_report(report)) is None:
            return
        if told.segments is None:
            told = told._replace(segments=own_segments.of_merged([row.pk]).get(row.pk, row.segments))
        its_rank = standing_amounts.rank(state, report.source)
        there = standing_amounts.of_attempt(kept)
        is_better = there is None or standing_amounts.wins(told, its_rank, *there)
        if not is_better or _is_doubtful(row, report, self.judge):
            return
        if there is not None:
            row.earlier.append((copy.copy(kept), -1))
        earlier_attempts.keep_price(
            kept,
            campaign_id=row.campaign_id,
            country=row.country,
            micros=told.micros,
            currency=told.currency,
            segments=told.segments or 0,
            told_with=its_rank,
        )
        row.earlier.append((kept, 1))
        row.touched = True


def take_amount(message_id: int, pay: Decimal, currency: str) -> bool:
    """A person's word on what a message cost, in the caller's transaction; False where it is known by now."""
    values, answered = reported_rows.locked([message_id], {})
    row = reported_rows.as_found(values[message_id], answered)
    if row.pay_micros is not None:
        return False
    row.pay_micros, row.currency, row.touched = standing_amounts.micros(pay), currency[:8], True
    reported_rows.write([row])
    return True


def _fold_state(
    row: Row, state: MessageState, report: DeliveryReport, events: list[MessageEvent], how: str = ""
) -> None:
    if row.gateway_id and report.msg_id and row.gateway_id != report.msg_id:
        events.append(_event(row, report, f"a second gateway id, {report.msg_id}, speaks for this message"))
    if state > row.state:
        was, row.state = row.state, state
        if state != MessageState.ACCEPTED:  # on its way is not an end: what it says would depend on who came first
            row.reason = _reason_of_end(row, state, was, report)
            row.report_source = report.source
            row.reported_at = report.at  # also where it says none: it goes with the state
        if was == MessageState.UNKNOWN:
            row.evidence = f"settled by {report.source}{how}: {report.msg_id}"[:200]
        row.touched = True
    elif state == row.state != MessageState.ACCEPTED:
        _fold_time(row, report)
        if state == MessageState.UNDELIVERED and not row.reason:
            _take_reason(row, report)  # getReport and the records tell none, and may come first
    elif MessageState.ACCEPTED < state < row.state:
        events.append(_event(row, report, f"reported {report.raw_status} {_clean(report.reason)} after its end"))
    if not row.gateway_id and report.msg_id:
        row.gateway_id = report.msg_id
        row.touched = True
    if row.network is None and (network := networks.number_of(report.mcc, report.mnc)) is not None:
        row.network = network
        row.touched = True


def _fold_time(row: Row, report: DeliveryReport) -> None:
    """Of reports that say the same, the earliest moment."""
    if report.at is not None and (row.reported_at is None or report.at < row.reported_at):
        row.reported_at, row.touched = report.at, True


def _fold_segments(row: Row, report: DeliveryReport) -> None:
    """Segments without an amount: the most that was told, until there is an amount."""
    segments = standing_amounts.segments_of(report)
    if row.pay_micros is None and segments is not None and segments > (row.billed_segments or -1):
        row.billed_segments, row.touched = segments, True


def _reason_of_end(row: Row, state: MessageState, was: int, report: DeliveryReport) -> str:
    if state == MessageState.DELIVERED:
        return ""
    told_before = row.reason if was == MessageState.ACCEPTED else ""  # by a push that was to be confirmed
    return _clean(report.reason)[:120] or told_before


def _keep_reason(row: Row, attempt: int | None, report: DeliveryReport) -> None:
    """Keep the reason of a push for getReport, which tells none: it counts only once getReport says the same."""
    is_last = attempt is None or attempt >= row.attempt
    has_failed = STATE_OF.get(report.state) == MessageState.UNDELIVERED
    if has_failed and is_last and row.state in REASON_FROM and not row.reason:
        _take_reason(row, report)


def _take_reason(row: Row, report: DeliveryReport) -> None:
    if reason := _clean(report.reason)[:120]:
        row.reason, row.touched = reason, True


def _of_what_waited(row: Row, kept: EarlierAttempt) -> str:
    """What happens to the queued message: it is not sent, unless a worker has claimed its batch and has its number."""
    if Batch.objects.filter(pk=row.batch_id, state=Batch.State.QUEUED).exists():
        kept.took_out = True
        kept.save(update_fields=["took_out"])
        return "; what waited is not sent"
    return f"; attempt {row.attempt} was on its way by then, and may arrive too"


def _is_doubtful(row: Row, report: DeliveryReport, judge: doubtful_amounts.Judge) -> bool:
    """getReport's word is Laaffic's own, unless it is below zero, which no message costs."""
    assert report.pay is not None  # noqa: S101
    if report.source not in report_targets.PUSHED:
        return report.pay < 0
    return judge.is_doubtful(
        report.pay, report.currency, campaign_id=row.campaign_id, country=row.country, segments=row.segments
    )


def _is_to_be_confirmed(report: DeliveryReport) -> bool:
    """Whether the report is a push that getReport must confirm: with LAAFFIC_CONFIRM_REPORTS a push proves nothing."""
    return settings.LAAFFIC_CONFIRM_REPORTS and report.source is Source.PUSH


def _ask_soon(batch_ids: set[int]) -> None:
    """getReport for these, together with what comes in the next seconds; their rows are locked."""
    soon = database_clock.in_statement() + CONFIRM_AFTER
    later = Q(next_check_at=None) | Q(next_check_at__gt=soon)
    Batch.objects.filter(later, pk__in=batch_ids).update(next_check_at=soon)


def _clean(text: str) -> str:
    return "" if text == "0" else text.replace("\0", "")


def _keep_new(events: Sequence[MessageEvent]) -> None:
    """Store each event once, even if it was reported thirty times; their batches are locked against other writers."""
    fresh = {(event.message_id, event.source, event.text): event for event in events}
    if not fresh:
        return
    there = MessageEvent.objects.filter(message_id__in={pk for pk, _source, _text in fresh})
    for known in there.values_list("message_id", "source", "text"):
        fresh.pop(known, None)
    MessageEvent.objects.bulk_create(fresh.values())


def _event(row: Row, report: DeliveryReport, text: str, source: str = "") -> MessageEvent:
    return MessageEvent(message_id=row.pk, at=timezone.now(), source=source or report.source, text=text[:300])


def apply_each(reports: Sequence[DeliveryReport]) -> list[bool]:
    """Apply reports from a list, in transactions of their own: one that cannot be applied does not stop the others."""
    known: list[bool] = []

    def give_up(report: DeliveryReport, problem: Exception) -> None:
        logger.error("a report about %s cannot be applied: %s", report.msg_id, problem)
        isolation.note(f"report about {report.msg_id or report.order_id}", problem)
        known.append(True)  # nobody else's either

    isolation.in_pieces(reports, lambda piece: known.extend(apply_now(piece)), give_up)
    return known


@transaction.atomic
def apply_now(reports: Sequence[DeliveryReport]) -> list[bool]:
    return apply(reports)

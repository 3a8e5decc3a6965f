"""What calls contribute to a report (reports/reporting.py): group calls as campaigns, phone calls as calls.

A call that was made counts as sent, a connected one as delivered. A group call belongs to the day of its launch, with
all that Laaffic said since; a call from a phone to the day on which it was made. Spoken messages are campaigns of
messaging. Figures that calls do not have (segments, replies, awaited reports) stay empty.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from laaffic_console.gateway.models import Channel
from laaffic_console.kit.masking.masks import mask_in_text
from laaffic_console.kit.words.people import username
from laaffic_console.laaffic import CallKind
from laaffic_console.reports import reporting
from laaffic_console.reports.reporting import Figures, Limits, Period, Rows
from voice.models import CallRecord, GroupTask, TaskState
from voice.models.group_tasks import NOT_LEFT
from voice.services.call_charts import CONNECTED
from voice.services.group_calls import figures as group_figures

MICROS = 1_000_000
PHONE_CALLS = (CallKind.SIP, CallKind.SIP_DIRECT)
NEVER_CALLED = (*NOT_LEFT, TaskState.SENDING, TaskState.REPLACED)


class CallReports(reporting.Source):
    def add_to(self, rows: Rows, period: Period, by: Sequence[str], limits: Limits) -> None:
        for values, figures in (*_group_calls(period, by), *_phone_calls(period, by)):
            rows[values].add(figures)

    def choices(self, name: str, most: int) -> Iterable[tuple[str, str]]:
        launched = GroupTask.objects.filter(launched_at__isnull=False, is_template=False)
        if name == "campaign":
            newest = launched.order_by("-pk").values_list("pk", "name")
            return [(f"group call:{pk}", called) for pk, called in newest[:most]]
        if name == "sender":
            numbers = launched.order_by("display_number").values_list("display_number", flat=True).distinct()
            return [(number, number) for number in numbers[:most]]
        return ()


Piece = tuple[tuple[reporting.Value, ...], Figures]


def _group_calls(period: Period, by: Sequence[str]) -> Iterator[Piece]:
    launched = GroupTask.objects.filter(launched_at__gte=period.start, launched_at__lt=period.end, is_template=False)
    others: dict[int, dict[str, Decimal]] | None = None
    for task in launched.exclude(state__in=NEVER_CALLED).select_related("application", "launched_by").iterator():
        figures = Figures()
        if task.state == TaskState.UNKNOWN:
            figures.counts["unknown"] = task.number_count
        for word, told in (("sent", task.called), ("delivered", task.connected), ("undelivered", task.failed)):
            if told is not None:
                figures.counts[word] = told
        if task.failed:
            figures.reasons[""] = task.failed  # Laaffic counts a group call's failures and does not say why
        if task.cost is not None and task.currency:
            figures.cost[task.currency] = _micros(task.cost)
            figures.delivered_in[task.currency] = task.connected or 0
        elif task.called is not None:  # an amount without a currency is in no sum
            figures.counts["price_not_told"] = task.called
        if task.cost is not None:
            others = group_figures.other_costs(launched) if others is None else others
            for currency, cost in others.get(task.pk, {}).items():
                figures.cost[currency] = _micros(cost)
        assert task.launched_at is not None  # noqa: S101
        values: dict[str, reporting.Value] = {
            "application": (task.application.name or task.application.app_id, task.application.app_id),
            "campaign": (task.name, "group call", task.pk),
            "sender": (task.display_number,),
            "person": (username(task.launched_by),),
        }
        yield _in_order(by, values, reporting.local_day(task.launched_at)), figures


def _phone_calls(period: Period, by: Sequence[str]) -> Iterator[Piece]:
    """Calls from phones, grouped by the database; not by person, as not every record says who asked for it."""
    made = CallRecord.objects.filter(kind__in=PHONE_CALLS, at__gte=period.start, at__lt=period.end).order_by()
    day = TruncDate("at", tzinfo=timezone.get_current_timezone())
    is_connected = Q(outcome__in=CONNECTED)
    grouped = made.annotate(day=day).values_list("day", "display_number", "currency", "outcome", "termination_reason")
    sums = {"connected": Count("pk", filter=is_connected), "priced": Count("cost"), "paid": Sum("cost")}
    rows = grouped.annotate(n=Count("pk"), **sums)
    for on, sender, currency, outcome, reason, n, connected, priced, paid in rows.iterator():
        figures = Figures()
        figures.counts["sent"], figures.counts["delivered"] = n, connected
        figures.counts["undelivered"] = n - connected
        figures.counts["price_not_told"] = n - priced if currency else n
        if n > connected:
            figures.reasons[mask_in_text(reason) or outcome] = n - connected  # reports are mailed, and read by links
        if paid is not None and currency:
            figures.cost[currency] = _micros(paid)
            figures.delivered_in[currency] = connected
        yield _in_order(by, {"sender": (sender,)}, on), figures


def _in_order(by: Sequence[str], values: dict[str, reporting.Value], day: Any) -> tuple[reporting.Value, ...]:
    nothing: dict[str, reporting.Value] = {
        "channel": (Channel.VOICE.value,),
        "application": ("", ""),
        "country": ("",),
        "network": ("",),
        "campaign": ("", "", None),
        "sender": ("",),
        "person": ("",),
    }
    known = nothing | values | reporting.time_values(by, day)
    return tuple(known[name] for name in by)


def _micros(amount: Decimal) -> int:
    return int((amount * MICROS).to_integral_value())

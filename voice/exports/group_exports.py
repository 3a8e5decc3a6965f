"""Group-call tasks as rows for a file, with the filters of the list; the last row adds them up."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from laaffic_console.kit.lists import walks
from laaffic_console.kit.words.people import username
from voice.models import GroupTask
from voice.services.group_calls import figures as group_figures

CHUNK = 500
COLUMNS = [
    "name",
    "name_at_laaffic",
    "key",
    "state",
    "application",
    "created_at",
    "created_by",
    "start_at",
    "launched_at",
    "over_at",
    "purpose",
    "numbers",
    "suppressed",
    "no_consent",
    "capped",
    "total",
    "called",
    "connected",
    "not_connected",
    "connect_rate",
    "hang_up_sms",
    "sms_sent",
    "seconds_talked",
    "keys_pressed",
    "cost",
    "currency",
]


def rows(tasks: QuerySet[GroupTask]) -> Iterator[list[Any]]:
    yield COLUMNS
    for chunk in walks.falling(tasks.select_related("application", "created_by"), CHUNK, attrgetter("pk")):
        others = group_figures.other_costs(GroupTask.objects.filter(pk__in=[task.pk for task in chunk]))
        for task in chunk:
            yield _cells(task, others.get(task.pk, {}))
    yield _sums(tasks)


def _cells(task: GroupTask, others: Mapping[str, Decimal]) -> list[Any]:
    moments = (task.send_at, task.launched_at, task.finished_at)
    return [
        task.name,
        task.task_name,
        task.key,
        task.get_state_display(),
        task.application.app_id,
        task.created_at,
        username(task.created_by),
        *moments,
        task.purpose,
        task.number_count,
        task.left_suppressed,
        task.left_no_consent,
        task.left_capped,
        task.total,
        task.called,
        task.connected,
        task.failed,
        task.connect_rate,
        bool(task.hang_up_sms),
        task.sms_sent,
        task.talk_seconds if task.recorded else "",
        " ".join(f"{key}:{n}" for key, n in task.keys_pressed.items()),
        *_cost([(task.currency, task.cost), *others.items()]),
    ]


def _cost(costs: Sequence[tuple[str, Any]]) -> tuple[Any, str]:
    """The cells of cost and currency; with several currencies all of it is in the first."""
    (currency, cost), *others = costs
    return ("; ".join(f"{one} {name}".strip() for name, one in costs), "") if others else (cost, currency)


def _sums(tasks: QuerySet[GroupTask]) -> list[Any]:
    """The last row: sums for the columns that can be added up; several currencies are not added to each other."""
    totals = group_figures.totals(tasks)
    cost, currency = _cost(totals["costs"] or [("", "")])
    sums = {
        "name": _("Total"),
        "total": totals["total"],
        "called": totals["called"],
        "connected": totals["connected"],
        "not_connected": totals["failed"],
        "connect_rate": totals["rate"],
        "sms_sent": totals["sms"],
        "cost": cost,
        "currency": currency,
    }
    return [sums.get(name) for name in COLUMNS]

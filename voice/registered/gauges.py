"""What /metrics tells of group calls."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count

from laaffic_console.kit.registers.gauges import Gauge
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import OVER

NOT_OVER = [state for state in TaskState if state not in OVER]


def group_calls(now: dt.datetime) -> Iterator[Gauge]:
    found = GroupTask.objects.filter(state__in=NOT_OVER, is_template=False).order_by()
    states = dict(found.values_list("state").annotate(Count("pk")))
    rows: dict[tuple[str, ...], float] = {(state.value,): states.get(state.value, 0) for state in NOT_OVER}
    yield Gauge("group_calls", "Group calls that are not over, by state", ["state"], rows)

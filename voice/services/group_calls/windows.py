"""The first moment at which Laaffic calls, by a task's own start time and its allowed times of day."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from voice.models import GroupTask
from voice.services.group_calls.requesting import window_of


def starts_at(task: GroupTask, now: dt.datetime | None = None) -> dt.datetime:
    """Its own start time, or now; with windows the first moment from then on within one.

    Windows that cannot be read count as none: the check before every launch reports them.
    """
    asked = max(task.send_at or timezone.now(), now or timezone.now())
    try:
        windows = sorted(window_of(window) for window in task.windows)
    except ValueError:
        windows = []
    if not windows:
        return asked
    there = asked.astimezone(ZoneInfo(settings.LAAFFIC_TIME_ZONE))
    for start, end in windows:
        if there.time() <= end:
            return max(there, dt.datetime.combine(there.date(), start, there.tzinfo))
    return dt.datetime.combine(there.date() + dt.timedelta(days=1), windows[0][0], there.tzinfo)

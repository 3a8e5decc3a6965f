"""When a group-call task would start, what the clocks of those it calls show then, and what speaks against it."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from laaffic_console.gateway.services import account_hold, workers
from laaffic_console.kit.said import gettext as _
from messaging import msisdn
from messaging.services.audience import recipient_clocks
from messaging.services.audience.recipient_clocks import Clock
from messaging.services.campaigns.launch_checks import Check, Level, NotSeen
from voice.models import GroupTask
from voice.services.group_requests import window_of

PREFIX = 6  # digits that decide a number's time zone
PREFIXES = 1000  # looked up at most: no review waits for 200,000 numbers


def starts_at(task: GroupTask, now: dt.datetime | None = None) -> dt.datetime:
    """Its own time, or now; with windows the first moment from then on that lies in one."""
    asked = max(task.send_at or timezone.now(), now or timezone.now())
    if not task.windows:
        return asked
    there = asked.astimezone(ZoneInfo(settings.LAAFFIC_TIME_ZONE))
    windows = sorted(window_of(window) for window in task.windows)
    for start, end in windows:
        if there.time() <= end:
            return max(there, dt.datetime.combine(there.date(), start, there.tzinfo))
    return dt.datetime.combine(there.date() + dt.timedelta(days=1), windows[0][0], there.tzinfo)


def clocks(numbers: Sequence[str], moment: dt.datetime) -> list[Clock]:
    """By country, from one number of each beginning: those with the same have the same time zones."""
    beginnings = Counter(number[:PREFIX] for number in numbers)
    one_of = {number[:PREFIX]: number for number in reversed(numbers)}
    reached = []
    for beginning, n in beginnings.most_common(PREFIXES):
        try:
            parsed = msisdn.parse(f"+{one_of[beginning]}")
        except msisdn.InvalidNumber:
            continue
        reached.append((parsed.country, ",".join(parsed.time_zones), n))
    return recipient_clocks.of_reached(moment, reached)


def checks(task: GroupTask, shown: Sequence[Clock]) -> list[Check]:
    """What a person has to have seen before it is launched from the page; the same words as for a campaign."""
    return [*_night(shown), *_account(task), *_workers()]


def require(found: Sequence[Check], *, ticked: set[str]) -> None:
    """NotSeen where a tick is missing."""
    if missing := [check.sentence for check in found if check.level == Level.TICK and check.key not in ticked]:
        raise NotSeen(missing)


def _night(shown: Sequence[Clock]) -> Iterator[Check]:
    if sentence := recipient_clocks.at_night(shown):
        yield Check("night", Level.TICK, sentence)


def _account(task: GroupTask) -> Iterator[Check]:
    if stopped_by := account_hold.stop_for(task.application_id):
        yield Check("account", Level.NOTE, stopped_by.sentence)


def _workers() -> Iterator[Check]:
    if not workers.alive():
        yield Check("workers", Level.NOTE, _("No worker is alive: how the calls go is not looked at before one is."))

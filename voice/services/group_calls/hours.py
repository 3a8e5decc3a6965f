"""When a group call may leave: one request takes all its numbers, so all their clocks must allow it at the same time.

Once Laaffic has the numbers it dials by itself; from then on only the task's own windows and its latest end hold.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable

from django.conf import settings

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import shaped
from messaging.hours.opening_hours import Hours
from messaging.services.gates import sending_hours
from messaging.services.gates.sending_hours import Place
from voice.models import GroupTask
from voice.services.group_calls import windows as group_windows

ROUNDS = 200  # enough for windows that open when the hours have ended, and so on


def rules_of(task: GroupTask) -> list[Hours]:
    """All hours that must allow it, with an SMS after the call its hours too; a calendar of the task is for both."""
    if task.outside_hours:
        return []
    by_sms = task.sms_application_id if task.hang_up_sms and task.calendar_id is None else None
    applications = [pk for pk in (task.application_id, by_sms) if pk is not None]
    found = (sending_hours.rules_for(pk, task.calendar_id) for pk in applications)
    return [rules for rules in found if rules is not None]


def places_of(numbers: Iterable[str]) -> Counter[Place]:
    """How many numbers are in each place. All are read, as two with the same first digits can differ."""
    return Counter(sending_hours.place_of(number) for number in numbers)


def of_no_country(places: Counter[Place]) -> int:
    return sum(n for (country, _zones), n in places.items() if not country)


def leaves_at(task: GroupTask, places: Collection[Place], now: dt.datetime) -> dt.datetime | None:
    """The first moment from now on at which its request may leave so that no phone rings outside its hours, or None.

    A task with its own start time leaves at once or not at all: Laaffic keeps it until then.
    """
    if not (rules := rules_of(task)):
        return now
    leave = now
    for _round in range(ROUNDS):
        rings = group_windows.starts_at(task, leave)
        opens = _opens(rules, places, rings)
        if opens is None or (opens > rings and task.send_at is not None and task.send_at > now):
            return None
        if opens <= rings:
            return leave
        leave = opens
    return None


def _opens(all_rules: list[Hours], places: Collection[Place], moment: dt.datetime) -> dt.datetime | None:
    """The first moment from this one on that suits all rules; None if there is none soon."""
    at = moment
    while at - moment <= sending_hours.SOON:
        latest = at
        for rules in all_rules:
            opens = sending_hours.common_opening(rules, places, latest)
            if opens is None:
                return None
            latest = opens
        if latest == at:
            return at
        at = latest
    return None


def never(task: GroupTask, places: Collection[Place]) -> str:
    """Why there is no such moment, and what to do."""
    rules = rules_of(task)
    if rules and task.send_at is not None:
        fits = _opens(rules, places, group_windows.starts_at(task))
        if fits is not None:
            said = _("It would call outside its hours. The first moment then that suits all it calls is %(when)s.")
            return said % {"when": _moment(fits)}
    return _("No moment suits the hours of all it calls. Make a task for each country, or change the calendar.")


def waits(until: dt.datetime) -> str:
    return _("Outside its recipients' sending hours: it waits, and starts automatically at %(when)s.") % {
        "when": _moment(until)
    }


def _moment(at: dt.datetime) -> str:
    return shaped("%(at)s (%(zone)s)", at=at, zone=settings.TIME_ZONE)


def ended(task: GroupTask, leaves: dt.datetime | None = None) -> str:
    """The sentence about its latest end, if that comes before its request or Laaffic's first call; else "".

    `leaves` None: its request leaves now.
    """
    if task.latest_end is None:
        return ""
    first_call = group_windows.starts_at(task, leaves or database_clock.now())
    if task.latest_end > first_call:
        return ""
    return sending_hours.after_its_end(task.latest_end)


def begins_too_late(task: GroupTask, leaves: dt.datetime | None = None) -> str:
    """Like `ended`, for a draft, which can be edited: resuming cannot lift its end."""
    if task.latest_end is None or not ended(task, leaves):
        return ""
    return sending_hours.begins_after_its_end(task.latest_end)

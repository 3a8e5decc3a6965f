"""Nothing is claimed while the clock of its recipient, or one that could be theirs, says that it is not the time."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.words.said import gettext as _
from messaging import msisdn
from messaging.hours import opening_hours
from messaging.hours.opening_hours import WHOLE_WEEK, Hours
from messaging.models import Calendar, Campaign, EmailCampaign, HoldKind
from messaging.models.campaign_bases import Launched
from messaging.services.gates.gates import Gate, Kind, Later, Queued, Verdict

NAME = "hours"
STANDS_STILL = ("paused", "held")  # the states of every kind in which a person resumes it
NEVER, OWN_TIME = "never", "clock"
SOON = dt.timedelta(days=60)  # hours that share no moment within this time never do
AGAIN = dt.timedelta(days=1)  # until hours that share no moment are checked again: clocks or calendar may have changed
LOCAL_TIME = "%Y-%m-%d %H:%M"

# Fresh for each claim: what the campaign's own calendar says, else its application's.
FIELDS = (
    *("kind", "outside_hours", "local_time", "latest_end", "calendar_id", "calendar__hours", "calendar__left_out"),
    *("application__sending_hours__calendar__hours", "application__sending_hours__calendar__left_out"),
)


class HoursGate(Gate):
    """`wall`: the time that the clocks of its recipients are to show first."""

    def __init__(self, hours: Hours, wall: dt.datetime | None, now: dt.datetime) -> None:
        self.hours, self.wall, self.now = hours, wall, now
        self.known: dict[tuple[str, tuple[str, ...]], Later | None] = {}
        self._by_code: dict[tuple[str, str], Later | None] = {}

    def look(self, rows: Sequence[Queued]) -> Verdict:
        waiting: dict[int, Later] = {}
        known = self._by_code
        for row in rows:  # most are of a country with one time zone, whose code was met before
            code = row.country, row.number[: msisdn.LONGEST_CODE]
            later = known[code] if code in known else self.of(row.number, row.country)
            if later is not None:
                waiting[row.message_id] = later
        return Verdict(waiting=waiting)

    def of(self, number: str, country: str = "") -> Later | None:
        """`country` of its message, where it has one: it is not read off the number once more then."""
        zones = msisdn.only_time_zones(number) if country else ()
        place = (country, zones) if zones else place_of(number)
        if place not in self.known:
            self.known[place] = self._later(*place)
        if zones:
            self._by_code[country, number[: msisdn.LONGEST_CODE]] = self.known[place]
        return self.known[place]

    def _later(self, country: str, zones: tuple[str, ...]) -> Later | None:
        begins = max(self.now, opening_hours.at_wall_time(zones, self.wall)) if self.wall else self.now
        opens = opening_hours.next_open(zones, self.hours.of(country), begins)
        if opens is None:
            return Later(begins + AGAIN, f"{NAME}:{country}:{NEVER}")
        if opens <= self.now:
            return None
        return Later(opens, f"{NAME}:{country}" if opens > begins else f"{NAME}:{country}:{OWN_TIME}")


class EndGate(Gate):
    """Past its end nothing of the campaign leaves by itself."""

    def __init__(self, because: str) -> None:
        self.because = because

    def look(self, rows: Sequence[Queued]) -> Verdict:
        return Verdict(hold=self.because, hold_kind=HoldKind.LATEST_END)


def place_of(number: str) -> "Place":
    """Its country, and the time zones that it can be in; the console's where its number tells none."""
    try:
        read = msisdn.parse(number)
    except msisdn.InvalidNumber:
        return "", (settings.TIME_ZONE,)
    return read.country, read.time_zones or (settings.TIME_ZONE,)


def of(campaign: Campaign) -> Gate | None:
    """None where no hours, time or end are set."""
    kind, outside, local_time, latest_end, own, hours, left_out, general, general_left_out = _settings.rows(
        campaign=campaign.pk
    )[0]
    if own is None:
        hours, left_out = general, general_left_out
    if kind == Campaign.Kind.TEST or not (hours or local_time or latest_end):
        return None
    now = database_clock.now()
    if latest_end is not None and latest_end <= now:
        return EndGate(after_its_end(latest_end))
    if outside or not (hours or local_time):
        return None
    rules = opening_hours.read(hours, left_out) if hours else WHOLE_WEEK
    return HoursGate(rules, wall_time(local_time), now)


@Select
def _settings() -> "QuerySet[Campaign, Any]":
    return Campaign.objects.filter(pk=Given("campaign")).values_list(*FIELDS)


def rules_of(campaign: Campaign | EmailCampaign) -> Hours | None:
    """The hours of the calendar that counts for a draft; None if none does."""
    return rules_for(campaign.application_id, campaign.calendar_id)


def rules_for(application_id: int, calendar_id: int | None = None) -> Hours | None:
    """The current hours of this calendar, else of the application's; None if it has none either."""
    own = Calendar.objects.filter(pk=calendar_id) if calendar_id else None
    chosen = Calendar.objects.filter(applications__application=application_id) if own is None else own
    calendar = chosen.first()
    return opening_hours.read(calendar.hours, calendar.left_out) if calendar else None


def has_no_hours() -> str:
    """The refusal for somebody who wants to send outside hours where there are none."""
    return _("No hours keep it back: neither it nor its application has a calendar.")


Place = tuple[str, tuple[str, ...]]  # a country, and the time zones that a number there can be in


def common_opening(rules: Hours, places: Iterable[Place], moment: dt.datetime) -> dt.datetime | None:
    """The first moment, from this one on, at which all of these may be reached at once; None: there is none soon.

    For what leaves in one request: an email campaign, a group call.
    """
    at, everywhere = moment.astimezone(dt.UTC), sorted(places)
    while at - moment <= SOON:
        latest = at
        for country, zones in everywhere:
            opens = opening_hours.next_open(zones, rules.of(country), latest)
            if opens is None:
                return None
            latest = opens
        if latest == at:
            return at
        at = latest
    return None


def after_its_end(latest_end: dt.datetime) -> str:
    said = _("It was not to send after %(when)s (%(zone)s). Resume sends the rest all the same, or cancel it.")
    return said % {"when": latest_end, "zone": settings.TIME_ZONE}


def begins_after_its_end(latest_end: dt.datetime) -> str:
    """The refusal of a draft's latest end. It must be edited: no resume lifts it."""
    said = _("It would begin after its latest end, %(when)s (%(zone)s). Choose a later end, or leave it empty.")
    return said % {"when": latest_end, "zone": settings.TIME_ZONE}


def is_held_by_end(held: Launched) -> bool:
    """Whether it is its end that holds it, and whose sentence it shows."""
    end = held.latest_end
    return end is not None and held.is_held_as(HoldKind.LATEST_END, after_its_end(end))


def is_past_its_end(held: Launched) -> bool:
    """Whether its end has come while it stood still for another reason: resumed, it would be held by its end."""
    end = held.latest_end
    return end is not None and end <= timezone.now() and held.state in STANDS_STILL


def asks_about_its_end(held: Launched) -> bool:
    return is_held_by_end(held) or is_past_its_end(held)


def is_lifted(held: Launched, past_end: bool | None) -> bool:
    """Whether a resume lifts its end, `past_end` as `not_asked` takes it: held for anything else only where asked."""
    return is_held_by_end(held) or (past_end is True and is_past_its_end(held))


def not_asked(held: Launched, past_end: bool | None) -> str:
    """Why a resume may not lift the end that has come by now; "" where it may, or where nothing is to lift.

    `past_end`: whether who resumes it was asked about its end. None where they saw no page, and mean it as it stands.
    """
    if past_end is not False or not asks_about_its_end(held):
        return ""
    said = _("Its latest end, %(when)s (%(zone)s), has come since you looked. Look again, then resume the rest or not.")
    return said % {"when": held.latest_end, "zone": settings.TIME_ZONE}


def wall_time(text: str) -> dt.datetime | None:
    """ValueError for an invalid time."""
    return read_wall_time(text) if text else None


def read_wall_time(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, LOCAL_TIME)  # noqa: DTZ007  (a clock on any wall)


def says(value: str) -> str:
    country, _colon, what = value.partition(":")
    where = {"country": country or _("numbers of no country")}
    if what == NEVER:
        return _("No hour suits all time zones of %(country)s: give it hours of its own in the calendar.") % where
    if what == OWN_TIME:
        return _("It is not yet its time by the clocks of %(country)s.") % where
    return _("Outside the sending hours of %(country)s.") % where


KIND = Kind(NAME, of, says, tells_when=lambda value: not value.endswith(f":{NEVER}"))

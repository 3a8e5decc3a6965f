"""What the recipients' clocks show, country by country, from the time zones that their numbers can be in."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from laaffic_console.kit.words import countries
from messaging.hours import opening_hours
from messaging.models import AudienceCount

NIGHT_ENDS, NIGHT_BEGINS = 8, 21  # o'clock, in the recipient's time
COUNTRIES = 12  # shown and named; all are looked at


@dataclass(frozen=True, slots=True)
class Clock:
    """A country's recipients, and the earliest and latest time that it can be for one of them."""

    country: str
    recipients: int
    earliest: dt.datetime
    latest: dt.datetime

    @property
    def is_one_time(self) -> bool:
        return self.earliest.replace(tzinfo=None) == self.latest.replace(tzinfo=None)

    @property
    def first(self) -> str:
        return _shown(self.earliest)

    @property
    def last(self) -> str:
        """Without its day where that is the first one's."""
        is_same_day = self.earliest.date() == self.latest.date()
        return f"{self.latest:%H:%M}" if is_same_day else _shown(self.latest)

    @property
    def is_night(self) -> bool:
        """Whether it is night for at least some of them."""
        return any(not NIGHT_ENDS <= at.hour < NIGHT_BEGINS for at in (self.earliest, self.latest))


def at(moment: dt.datetime, counted: AudienceCount) -> list[Clock]:
    """The countries with most recipients first; whose zone is not known is not in it."""
    return of_reached(moment, counted.reached)


def first_moment(wall: dt.datetime, counted: AudienceCount) -> dt.datetime:
    """When the clocks of the first of them show this time."""
    return min(opening_hours.at_wall_time([zone], wall) for zone in _zones_of(counted))


def last_moment(wall: dt.datetime, counted: AudienceCount) -> dt.datetime:
    """When the clocks of the last of them show this time."""
    return max(opening_hours.at_wall_time([zone], wall) for zone in _zones_of(counted))


def passed(wall: dt.datetime, counted: AudienceCount, now: dt.datetime) -> list[str]:
    """Countries where all clocks have shown this time already: nothing is held back for it."""
    zones: dict[str, set[str]] = defaultdict(set)
    for country, names, _n in counted.reached:
        zones[country].update(names.split(",") if names else [settings.TIME_ZONE])
    return sorted(country for country, of in zones.items() if opening_hours.at_wall_time([*of], wall) < now)


def begins_after(
    end: dt.datetime, opens: Callable[[str, Sequence[str]], dt.datetime | None], counted: AudienceCount
) -> dict[str, int]:
    """Countries of those who are first reached after this moment, with how many they are; the most first."""
    late: dict[str, int] = defaultdict(int)
    for country, names, n in counted.reached:
        first = opens(country, names.split(",") if names else [settings.TIME_ZONE])
        if first is not None and first >= end:
            late[country] += n
    return dict(sorted(late.items(), key=lambda row: -row[1]))


def first_reached(
    opens: Callable[[str, Sequence[str]], dt.datetime | None], counted: AudienceCount
) -> dt.datetime | None:
    """When the first of those who are counted is reached; None where nobody ever is."""
    places = ((country, names.split(",") if names else [settings.TIME_ZONE]) for country, names, _n in counted.reached)
    return min((first for place in places if (first := opens(*place)) is not None), default=None)


def never_open(rules: opening_hours.Hours, counted: AudienceCount, moment: dt.datetime) -> list[str]:
    """Countries with recipients for whom no moment suits all clocks that could be theirs."""
    places = {(country, tuple(names.split(","))) for country, names, _n in counted.reached if names}
    return sorted(
        {country for country, zones in places if opening_hours.next_open(zones, rules.of(country), moment) is None}
    )


def _zones_of(counted: AudienceCount) -> set[str]:
    names = {name for _country, names, _n in counted.reached for name in names.split(",") if name}
    return names | {settings.TIME_ZONE} if not names or any(not names for _c, names, _n in counted.reached) else names


def at_night(clocks: Sequence[Clock]) -> str:
    """The sentence for a start that wakes somebody; "" for one that wakes nobody."""
    asleep = [f"{countries.row_of(clock.country)} {clock.earliest:%H:%M}" for clock in clocks if clock.is_night]
    if not asleep:
        return ""
    named = [*asleep[:COUNTRIES], "…"] if len(asleep) > COUNTRIES else asleep
    return _("It starts at night for some recipients: %(where)s.") % {"where": ", ".join(named)}


def of_reached(moment: dt.datetime, reached: Iterable[tuple[str, str, int]]) -> list[Clock]:
    """The clocks of these rows of (country, time zones separated by commas, recipients), most recipients first."""
    recipients: dict[str, int] = defaultdict(int)
    zones: dict[str, set[str]] = defaultdict(set)
    for country, names, n in reached:
        recipients[country] += n
        zones[country].update(name for name in names.split(",") if name)
    clocks = []
    for country in sorted(zones, key=lambda country: -recipients[country]):
        times = sorted(_wall_times(moment, zones[country]), key=lambda at: at.replace(tzinfo=None))
        if times:
            clocks.append(Clock(country, recipients[country], times[0], times[-1]))
    return clocks


def _shown(at: dt.datetime) -> str:
    """Weekday and time by the moment's own zone; a template would show it by the console's."""
    return f"{date_format(at, 'D')} {at:%H:%M}"


def _wall_times(moment: dt.datetime, zones: set[str]) -> list[dt.datetime]:
    """None at the ends of the calendar, where another zone's day does not exist."""
    with suppress(OverflowError):
        return [moment.astimezone(ZoneInfo(zone)) for zone in zones]
    return []

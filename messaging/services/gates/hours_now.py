"""What hours mean at a moment: where they are open, and when they open next."""

import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import dataclass

from babel.core import get_global
from django.conf import settings

from messaging.hours import opening_hours
from messaging.hours.opening_hours import Hours

MOST = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """`open_in` of a country's `of` time zones; `opens` by the clock on the wall that shows it first."""

    country: str  # "": the console's own clock
    open_in: int
    of: int
    opens: dt.datetime | None

    @property
    def is_open(self) -> bool:
        return self.open_in == self.of


def at(hours: Hours, countries: Iterable[str], moment: dt.datetime) -> list[Standing]:
    """The console's own clock first, then those countries that have a zone."""
    places = [("", (settings.TIME_ZONE,)), *((country, zones_of(country)) for country in dict.fromkeys(countries))]
    return [_standing(hours, country, zones, moment) for country, zones in places if zones][: MOST + 1]


def _standing(hours: Hours, country: str, zones: tuple[str, ...], moment: dt.datetime) -> Standing:
    rules = hours.of(country)
    found = [(opening_hours.next_open((zone,), rules, moment), zone) for zone in zones]
    opening = sorted((opens, zone) for opens, zone in found if opens is not None)
    open_in = sum(opens == moment for opens, _zone in opening)
    opens = None if open_in or not opening else opening_hours.wall_clock(opening[0][1], opening[0][0])
    return Standing(country, open_in, len(zones), opens)


def zones_of(country: str) -> tuple[str, ...]:
    return _zones().get(country, ())


@functools.cache
def _zones() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for zone, country in get_global("zone_territories").items():
        if opening_hours.is_zone(zone):
            found.setdefault(country, []).append(zone)
    return {country: tuple(sorted(zones)) for country, zones in found.items()}

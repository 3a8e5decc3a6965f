"""When messages may leave, by the clocks on the walls where their recipients may be: hours as people write them, and
the next moment at which all of these clocks allow it.

Between two changes of a zone's offset a clock runs evenly; so each such stretch is looked at by itself, and hours that
a change of the clocks skips or repeats need no rule of their own.
"""

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.kit.words import countries
from laaffic_console.kit.words.plain_text import capitals
from laaffic_console.kit.words.planned_years import check_year

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WHOLE_DAY = 24 * 60  # minutes
DAY = dt.timedelta(days=1)
HORIZON = 370 * DAY  # after the last date left out: by then each week, and each offset, has come by
MOST_LINES = 100

_line = re.compile(r"^(?P<days>[a-z,\s-]+?)\s+(?P<times>\d.*)$")
_times = re.compile(r"^(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})$")
_country = re.compile(r"^[A-Z]{2}$")


class InvalidHours(ValueError):
    """Why these are not hours or dates, in a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Hours by weekday (0 is Monday) as (from, to) in minutes; `to` may lie behind midnight. Dates left out."""

    weekly: tuple[tuple[tuple[int, int], ...], ...]
    left_out: frozenset[dt.date] = frozenset()

    @property
    def always(self) -> bool:
        return not self.left_out and all((0, WHOLE_DAY) in day for day in self.weekly)

    def spans_of(self, day: dt.date) -> Iterator[tuple[int, int]]:
        """Minutes of this date that are open; what began the day before ends with that day's being left out, too."""
        if day in self.left_out:
            return
        if day > dt.date.min and day - DAY not in self.left_out:
            yield from ((0, to - WHOLE_DAY) for _from, to in self.weekly[(day.weekday() - 1) % 7] if to > WHOLE_DAY)
        yield from ((begins, min(to, WHOLE_DAY)) for begins, to in self.weekly[day.weekday()])


@dataclass(frozen=True, slots=True)
class Hours:
    """A calendar: the general rule, and what some countries have instead of its hours and beside its dates."""

    general: Rules
    countries: Mapping[str, Rules] = field(default_factory=dict)

    def of(self, country: str) -> Rules:
        return self.countries.get(country, self.general)


WHOLE_WEEK = Hours(Rules((((0, WHOLE_DAY),),) * len(DAYS)))


def is_open(zones: Sequence[str], rules: Rules, moment: dt.datetime) -> bool:
    """Whether the clocks of all of these zones allow it."""
    return all(_opens_in(zone, rules, moment, moment + dt.timedelta(microseconds=1)) == moment for zone in zones)


def next_open(zones: Sequence[str], rules: Rules, moment: dt.datetime) -> dt.datetime | None:
    """The first moment, from this one on, that the clocks of all zones allow; None: there is none."""
    at = moment.astimezone(dt.UTC)
    if rules.always or not zones:
        return at
    end = max([at, *map(_midnight, rules.left_out)]) + HORIZON
    while True:
        latest = at
        for zone in zones:
            opens = _opens_in(zone, rules, latest, end)
            if opens is None:
                return None
            latest = opens
        if latest == at:
            return at
        at = latest


def at_wall_time(zones: Sequence[str], wall: dt.datetime) -> dt.datetime:
    """The moment when the clocks of all zones have shown this time: a clock that skips it, when it is put forward; one
    that shows it twice, the first time."""
    return max(_shows(zone, wall) for zone in zones)


def _shows(zone: str, wall: dt.datetime) -> dt.datetime:
    at = (wall - DAY).replace(tzinfo=dt.UTC)
    while True:
        until = _evenly_until(zone, at)
        reached = wall - _offset(zone, at)
        if reached.replace(tzinfo=dt.UTC) < until:
            return max(reached.replace(tzinfo=dt.UTC), at)
        at = until


def _opens_in(zone: str, rules: Rules, since: dt.datetime, end: dt.datetime) -> dt.datetime | None:
    """The first moment from `since` to before `end` that this zone's clock allows."""
    at = since
    while at < end:
        until = min(_evenly_until(zone, at), end)
        offset = _offset(zone, at)
        found = _first_between(rules, at.replace(tzinfo=None) + offset, until.replace(tzinfo=None) + offset)
        if found is not None:
            return (found - offset).replace(tzinfo=dt.UTC)
        at = until
    return None


def _first_between(rules: Rules, begins: dt.datetime, ends: dt.datetime) -> dt.datetime | None:
    """The first open moment from `begins` to before `ends`, by a clock that never changes; None if there is none."""
    day = begins.date()
    while day <= ends.date():
        midnight = dt.datetime.combine(day, dt.time())
        for opens, closes in sorted(rules.spans_of(day)):
            first = max(begins, midnight + dt.timedelta(minutes=opens))
            if first < min(ends, midnight + dt.timedelta(minutes=closes)):
                return first
        day += DAY
    return None


def _evenly_until(zone: str, moment: dt.datetime) -> dt.datetime:
    """Until then the zone keeps its offset: its next change, or the end of this stretch of the year."""
    for change in _changes(zone, moment.year):
        if change > moment:
            return change
    return dt.datetime(moment.year + 1, 1, 1, tzinfo=dt.UTC)


@functools.lru_cache(maxsize=4096)
def _changes(zone: str, year: int) -> tuple[dt.datetime, ...]:
    """The moments of a year at which the zone changes its offset, to the second."""
    at, end = dt.datetime(year, 1, 1, tzinfo=dt.UTC), dt.datetime(year + 1, 1, 1, tzinfo=dt.UTC)
    found = []
    while at < end:
        following = min(at + 7 * DAY, end)
        before = _offset(zone, at)
        if _offset(zone, following) != before:
            low, high = at, following
            while high - low > dt.timedelta(seconds=1):
                middle = low + dt.timedelta(seconds=(high - low).total_seconds() // 2)
                low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
            found.append(high)
            following = high
        at = following
    return tuple(found)


def _offset(zone: str, moment: dt.datetime) -> dt.timedelta:
    return moment.astimezone(_zone(zone)).utcoffset() or dt.timedelta()


def wall_clock(zone: str, moment: dt.datetime) -> dt.datetime:
    """What the clocks of a zone show then."""
    return moment.replace(tzinfo=None) + _offset(zone, moment)


def is_zone(name: str) -> bool:
    """Whether this machine knows it."""
    try:
        _zone(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


@functools.cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


@functools.lru_cache(maxsize=256)
def read(hours: str, left_out: str = "") -> Hours:
    """From lines such as “mon-fri 09:00-20:00” and “IN, BD: mon-sat 10:00-19:00”, and dates, one a line.

    InvalidHours says what is wrong, also where nothing would ever be open.
    """
    spans = _by_countries(hours, _spans)
    dates = _by_countries(left_out, _date)
    general = spans.pop("", [])
    if not general:
        raise InvalidHours(_("Write the hours for all countries first, for example: mon-fri 09:00-20:00"))
    for_all = [day for days in dates.get("", []) for day in days]
    rules = {"": _rules(general, for_all)}
    for country in {*spans, *dates} - {""}:
        own = [day for days in dates.get(country, []) for day in days]
        rules[country] = _rules(spans.get(country) or general, [*for_all, *own])
    return Hours(rules.pop(""), rules)


def own_rules(hours: str, left_out: str = "") -> dict[str, Rules]:
    """What the lines of each country say by themselves, "" first: no hours where it has dates alone."""
    spans, dates = _by_countries(hours, _spans), _by_countries(left_out, _date)
    return {
        country: _rules(spans.get(country, []), [day for days in dates.get(country, []) for day in days])
        for country in dict.fromkeys(["", *spans, *dates])
    }


def with_part(text: str, countries: Sequence[str], lines: Sequence[str]) -> str:
    """The text with these lines for these countries, or for all, instead of their own; no lines leave it as it is."""
    if not lines:
        return text
    names = {capitals(name.strip()) for name in countries} or {""}
    kept = []
    for line in (line.strip() for line in text.splitlines() if line.strip()):
        before, rest = _countries_before(line)
        if left := [name for name in before if name not in names]:
            kept.append(f"{', '.join(left)}: {rest}" if left != [""] else rest)
    head = ", ".join(sorted(names))
    added = [f"{head}: {line.strip()}" if head else line.strip() for line in lines]
    return "\n".join([*kept, *added] if head else [*added, *kept])


def _rules(lines: Iterable[list[tuple[int, int, int]]], left_out: Iterable[dt.date]) -> Rules:
    weekly: list[set[tuple[int, int]]] = [set() for _day in DAYS]
    for weekday, begins, ends in (span for line in lines for span in line):
        weekly[weekday].add((begins, ends))
    return Rules(tuple(tuple(sorted(day)) for day in weekly), frozenset(left_out))


def _by_countries(text: str, reading: Callable[[str], list[Any]]) -> dict[str, list[Any]]:
    """Each line's reading, by the countries that stand before its colon; "" where there are none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise InvalidHours(_("A calendar has at most %(most)d lines.") % {"most": MOST_LINES})
    found: dict[str, list[Any]] = {}
    for line in lines:
        names, rest = _countries_before(line)
        for name in names:
            found.setdefault(name, []).append(reading(rest))
    return found


def _countries_before(line: str) -> tuple[list[str], str]:
    head, colon, rest = line.partition(":")
    names = [capitals(name.strip()) for name in head.split(",")]
    if not colon or not all(_country.match(name) for name in names):
        return [""], line
    try:
        return [countries.read(name) for name in names], rest.strip()
    except ValidationError as problem:
        raise InvalidHours(problem.messages[0]) from problem


def _spans(text: str) -> list[tuple[int, int, int]]:
    """(weekday, from, to) of “mon-fri,sun 09:00-12:00, 13:00-20:00”."""
    matched = _line.match(text.lower())
    if matched is None:
        raise InvalidHours(_wrong_line(text))
    days = [day for part in matched["days"].split(",") for day in _days(part.strip(), text)]
    times = [_span(part.strip(), text) for part in matched["times"].split(",")]
    return [(day, begins, ends) for day in days for begins, ends in times]


def _days(part: str, text: str) -> list[int]:
    first, _dash, last = (name.strip() for name in part.partition("-"))
    if first not in DAYS or (last or first) not in DAYS:
        raise InvalidHours(_wrong_line(text))
    begins, ends = DAYS.index(first), DAYS.index(last or first)
    return [day % 7 for day in range(begins, ends + 1 if begins <= ends else ends + 8)]


def _span(part: str, text: str) -> tuple[int, int]:
    matched = _times.match(part)
    if matched is None:
        raise InvalidHours(_wrong_line(text))
    hour, minute, to_hour, to_minute = (int(number) for number in matched.groups())
    begins, ends = hour * 60 + minute, to_hour * 60 + to_minute
    if max(minute, to_minute) > 59 or begins >= WHOLE_DAY or ends > WHOLE_DAY:
        raise InvalidHours(_("“%(text)s” is not a time of day. Write it from 00:00 to 24:00.") % {"text": part})
    if begins == ends:
        said = _("“%(text)s” is never open. Write 00:00-24:00 for a whole day, or leave the line out.")
        raise InvalidHours(said % {"text": part})
    return begins, ends if ends > begins else ends + WHOLE_DAY


def _date(text: str) -> list[dt.date]:
    try:
        day = dt.date.fromisoformat(text)
        check_year(day)
    except (ValueError, ValidationError) as problem:
        said = _("“%(text)s” is not a date. Write it like 2026-12-25, one a line.")
        raise InvalidHours(said % {"text": text[:40]}) from problem
    return [day]


def _wrong_line(text: str) -> str:
    said = _("“%(text)s” is not a line of hours. Write it like mon-fri 09:00-20:00 or IN, BD: sat 10:00-14:00.")
    return said % {"text": text[:60]}

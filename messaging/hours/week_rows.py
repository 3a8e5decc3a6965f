"""A calendar as rows of fields: a week and dates for everywhere, and for each country that differs from it.

Rows become the text that is kept (messaging/hours/opening_hours.py), and the text becomes rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from laaffic_console.kit.words.plain_text import capitals
from messaging.hours import opening_hours
from messaging.hours.opening_hours import DAYS, MOST_LINES, InvalidHours, Rules

Span = tuple[str, str]  # from and to, as fields of a time hold them: midnight is 00:00 at either end
GENERAL = "0"  # the part that holds everywhere
RANGE = 3  # so many days in a row are written as from the first to the last


class Posted(Protocol):
    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Part:
    countries: str  # "IN, BD"; "" everywhere
    days: tuple[tuple[Span, ...], ...]
    dates: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.countries or self.dates or any(self.days))


NOTHING = Part("", ((),) * len(DAYS))


def of_text(hours: str, left_out: str = "") -> list[Part]:
    """The general one first; countries that say the same are one. InvalidHours where the text is none."""
    if not hours.strip() and not left_out.strip():
        return [NOTHING]
    opening_hours.read(hours, left_out)
    grouped: dict[tuple[bool, Rules], list[str]] = {}
    for country, rules in opening_hours.own_rules(hours, left_out).items():
        grouped.setdefault((bool(country), rules), []).append(country)
    return [_part(", ".join(countries), rules) for (_own, rules), countries in grouped.items()]


def _part(countries: str, rules: Rules) -> Part:
    days = tuple(tuple((_clock(begins), _clock(ends)) for begins, ends in day) for day in rules.weekly)
    return Part(countries, days, tuple(day.isoformat() for day in sorted(rules.left_out)))


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def of_post(data: Posted) -> list[Part]:
    """The parts as their fields were filled in, valid or not; a country's part that was left empty is left out."""
    parts = []
    for place in data.getlist("part")[:MOST_LINES]:
        countries = "" if place == GENERAL else capitals(_plain(", ".join(data.getlist(f"{place}-countries"))))
        days = tuple(tuple(_spans(data, f"{place}-{day}")) for day in DAYS)
        dates = tuple(dict.fromkeys(date for said in data.getlist(f"{place}-date") if (date := _plain(said))))
        part = Part(countries, days, dates)
        if place == GENERAL or not part.is_empty:
            parts.append(part)
    return parts


def _spans(data: Posted, name: str) -> Iterator[Span]:
    for begins, ends in zip(data.getlist(f"{name}-from"), data.getlist(f"{name}-to"), strict=False):
        span = (_plain(begins), _plain(ends))
        if any(span):
            yield span


def _plain(said: str) -> str:
    return " ".join(said.split())[:200]


def problems(parts: Sequence[Part]) -> list[str]:
    """What is missing; whether hours, dates and countries are valid is checked where the text is read."""
    found = []
    for place, part in enumerate(parts):
        where = part.countries or (_("everywhere") if place == 0 else _("a country without a name"))
        for weekday, spans in enumerate(part.days):
            if any(not all(span) for span in spans):
                said = _("%(day)s, %(where)s: give both, from and to, or empty the row.")
                found.append(said % {"day": WEEKDAYS[weekday], "where": where})
        if place and not part.countries:
            found.append(_("Say for which countries the other hours are, for example IN, BD, or empty them."))
        elif place and not (part.dates or any(part.days)):
            found.append(_("%(where)s: give hours or dates, or take the countries away.") % {"where": where})
    if not parts or not any(parts[0].days):
        found.insert(0, _("Give the hours that hold everywhere: at least one day, from and to."))
    return found


def as_text(parts: Sequence[Part]) -> tuple[str, str]:
    """(hours, dates left out), one a line."""
    hours, dates = [], []
    for part in parts:
        head = f"{part.countries}: " if part.countries else ""
        hours += [f"{head}{line}" for line in _lines(part.days)]
        dates += [f"{head}{date}" for date in part.dates]
    return "\n".join(hours), "\n".join(dates)


def _lines(days: Sequence[tuple[Span, ...]]) -> Iterator[str]:
    """Days with the same hours are one line."""
    alike: dict[tuple[Span, ...], list[int]] = {}
    for weekday, spans in enumerate(days):
        if spans:
            alike.setdefault(spans, []).append(weekday)
    for spans, weekdays in alike.items():
        yield f"{_named(weekdays)} {', '.join(f'{begins}-{_end(ends)}' for begins, ends in spans)}"


def _end(ends: str) -> str:
    return "24:00" if ends == "00:00" else ends


def _named(weekdays: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for weekday in weekdays:
        if runs and weekday == runs[-1][-1] + 1:
            runs[-1].append(weekday)
        else:
            runs.append([weekday])
    named = [
        f"{DAYS[run[0]]}-{DAYS[run[-1]]}" if len(run) >= RANGE else ",".join(DAYS[day] for day in run) for run in runs
    ]
    return ",".join(named)


def says_the_same(hours: str, left_out: str, parts: Sequence[Part]) -> bool:
    """Whether nobody has touched the rows of this text."""
    try:
        return of_text(hours, left_out) == of_text(*as_text(parts))
    except InvalidHours:
        return False

"""Which rows' time has come, by the database's clock, whatever a machine's own clock said for a moment.

A machine whose clock is an hour ahead for some seconds writes times that lie ahead by as much, and on SQLite, where its
clock is the only one, nothing but the row itself tells. So no row is believed to wait for longer than rows like it are
ever told to: what lies further ahead was written by a wrong clock, and has come.
"""

import datetime as dt
from collections.abc import Sequence

from django.db.models import Q

from laaffic_console.gateway.services.database import database_clock

CLOCKS_DIFFER_BY = dt.timedelta(seconds=2)  # a clock is set by so much now and then
# Some rows, and the longest that they are told to wait.
Wait = tuple[Q, dt.timedelta]


def come(field: str, waits: Sequence[Wait], now: dt.datetime | None = None) -> Q:
    """Rows whose time has come, or lies further ahead than they were ever told to wait."""
    now = now or database_clock.now()
    return Q(**{f"{field}__lte": now}) | misdated(field, waits, now)


def misdated(field: str, waits: Sequence[Wait], now: dt.datetime | None = None) -> Q:
    now = now or database_clock.now()
    found = Q(pk__in=())
    for rows, longest in waits:
        found |= rows & Q(**{f"{field}__gt": now + longest + CLOCKS_DIFFER_BY})
    return found


def is_ahead(at: dt.datetime | None, now: dt.datetime | None = None) -> bool:
    """A moment at which something was done, and which has not come: a wrong clock wrote it, so it says nothing."""
    return at is not None and at > (now or database_clock.now()) + CLOCKS_DIFFER_BY


def read_until(until: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """Until when a list was read, as it was noted; None, which is not known, where a wrong clock noted it."""
    return None if is_ahead(until, now) else until


def unseen(field: str, began: dt.datetime) -> Q:
    """Rows that a reading which began then, and stamps `field` with that moment, did not see.

    What was made in the meantime has a later stamp, and is not among them; a stamp that lies ahead says nothing.
    """
    ahead = Q(**{f"{field}__gt": database_clock.now() + CLOCKS_DIFFER_BY}) & ~Q(**{field: began})
    return Q(**{f"{field}__lt": began}) | ahead


def by_steps(field: str, steps: Sequence[float], at_least: dt.timedelta, first: int = 0) -> list[Wait]:
    """The waits of rows that wait `steps[n]` seconds once their `field` is `first + n`, and the last from then on.

    `at_least`: what any of them may be told to wait as well, such as after trouble.
    """
    waits = [max(dt.timedelta(seconds=step), at_least) for step in steps]
    longer = [n for n in range(len(waits) - 1) if waits[n + 1] > waits[n]]
    return [(Q(**{f"{field}__lte": first + n}), waits[n]) for n in longer] + [(Q(), waits[-1])]


def by_age(field: str, now: dt.datetime, *, part: float, oldest: dt.timedelta, at_least: dt.timedelta) -> list[Wait]:
    """The waits of rows that wait a `part` of their age since `field`; beyond `oldest` the wait no longer grows."""
    waits: list[Wait] = []
    age = at_least / part
    while age < oldest:
        waits.append((Q(**{f"{field}__gt": now - age}), age * part))
        age *= 2
    return [*waits, (Q(), oldest * part)]

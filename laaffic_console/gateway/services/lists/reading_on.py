"""Reading on in a list that is asked for by time, from where it was read: window after window, each noted once read.

The first window is usually short, and each one that was read with few pages makes the next four times as long: a week
without anything takes four requests. A window that holds more than fits is left and asked for again in quarters. So a
reading that is stopped, or killed with its process, has noted most of what it did, and the next one goes on from there.
"""

import datetime as dt
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from laaffic_console.gateway.services.work.due import is_ahead
from laaffic_console.laaffic.pages import Page

T = TypeVar("T")
Window = tuple[dt.datetime, dt.datetime]

MORE = dt.timedelta(hours=1)  # the first window reaches so far beyond what is read again
SHORTEST = dt.timedelta(minutes=1)  # what is no longer is read to its end
PAGES_AT_ONCE = 50
SECONDS_AT_ONCE = 30.0
STEP = 4  # so much longer or shorter is the next window


@dataclass(slots=True)
class Part:
    """What one window held."""

    pages: int = 0
    records: int = 0
    problems: list[str] = field(default_factory=list)  # of rows that could not be read, in words

    def add(self, page: Page[Any]) -> None:
        self.pages += 1
        self.records += len(page.records)
        self.problems += page.problems

    @property
    def rows(self) -> int:
        return self.records + len(self.problems)


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """How a list is asked for, and what is done with what comes."""

    pages: Callable[[dt.datetime, dt.datetime], Iterable[Page[T]]]  # of a window
    take: Callable[[Page[T]], object]
    noted: Callable[[dt.datetime, Part], object]  # everything until then is read
    check: Callable[[], object] = lambda: None  # before each request: raises where none is to leave any more


def start_of(
    until: dt.datetime | None, read_at: dt.datetime | None, overlap: dt.timedelta, now: dt.datetime
) -> dt.datetime | None:
    """From where to read on a list that was read `until` then, at `read_at`; None where nothing is known.

    What reached Laaffic late may have been missing from what was young when it was read, and only from that.
    """
    if until is None:
        return None
    if read_at is None or is_ahead(read_at, now):
        return until - overlap
    return min(until, read_at - overlap)


def read(windows: Iterable[Window], asked: Asked[T], *, first: dt.timedelta, seconds: float = SECONDS_AT_ONCE) -> None:
    """Read `windows`, the longest that may be asked for, in parts; the first of them is `first` long.

    `seconds`: a part that takes longer is left for shorter ones.
    """
    length = first
    for opens, end in windows:
        while opens < end:
            closes = min(opens + length, end)
            part = _read_part(asked, (opens, closes), seconds)
            if part is None:
                length = max((closes - opens) / STEP, SHORTEST)
                continue
            asked.noted(closes, part)
            opens = closes
            if part.pages * STEP <= PAGES_AT_ONCE:
                length = min(length * STEP, dt.timedelta(days=366))


def _read_part(asked: Asked[T], window: Window, seconds: float) -> Part | None:
    """Read one window; None where it holds too much, and shorter ones are to be asked for."""
    may_be_left = window[1] - window[0] > SHORTEST
    part, began = Part(), time.monotonic()
    asked.check()
    for page in asked.pages(*window):
        asked.take(page)
        part.add(page)
        if page.total is not None and part.rows >= page.total:
            continue  # it was the last
        is_much = max(part.pages, _pages(page)) > PAGES_AT_ONCE or time.monotonic() - began > seconds
        if is_much and may_be_left:
            return None
        asked.check()
    return part


def _pages(page: Page[T]) -> int:
    """How many there are as it says, with pages as long as this one."""
    return math.ceil(page.total / page.rows) if page.total and page.rows else 0

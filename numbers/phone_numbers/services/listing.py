"""Reading one of Laaffic's lists to its end, page by page, while it may change under the reader."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from laaffic_console.laaffic import IncompleteList, LaafficError, NotSent, OutcomeUnknown, Refused
from laaffic_console.laaffic.codes import Remedy
from laaffic_console.laaffic.pages import Page, every_page

PAGE_SIZE = 100  # the most that the interfaces give (laaffic-api#querybindpage)
READINGS = 2
TRIES = 3
PAUSE = 0.5  # seconds before the second try; doubled for the third

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one reading came to."""

    is_whole: bool  # every page came, and the list did not change meanwhile
    unreadable: int  # rows that may be anything

    @property
    def is_complete(self) -> bool:
        return self.is_whole and not self.unreadable


def read_all(
    fetch: Callable[[int], Page[Record]],
    *,
    take: Callable[[Sequence[Record]], None],
    name_of: Callable[[Record], str],
) -> "Seen":
    """Hand each page to `take`.

    Rows that end while we read move later ones to pages that we have read already, so the list is read once more where
    something is missing. When that does not help, nothing can be concluded from what was not seen. A row that cannot be
    read may be anything, so then nothing can either; the rows and pages after it are read all the same.
    """
    seen = Seen(False, 0)
    for _reading in range(READINGS):
        seen = _read_once(fetch, take, name_of)
        if seen.is_whole:
            break
    return seen


def _read_once(
    fetch: Callable[[int], Page[Record]], take: Callable[[Sequence[Record]], None], name_of: Callable[[Record], str]
) -> Seen:
    unreadable = 0
    try:
        for page in every_page(lambda current: patiently(lambda: fetch(current)), "the list", name_of=name_of):
            take(page.records)
            unreadable += len(page.problems)
    except IncompleteList:
        return Seen(False, unreadable)
    return Seen(True, unreadable)


def patiently(read: Callable[[], Page[Record]]) -> Page[Record]:
    """A read may be asked again, and is, a few times, unless the gateway said a clear no."""
    for attempt in range(TRIES):
        try:
            return read()
        except LaafficError as problem:
            if attempt == TRIES - 1 or not _may_pass(problem):
                raise
            time.sleep(PAUSE * 2**attempt)
    raise AssertionError("the last try returns or raises")


def _may_pass(problem: LaafficError) -> bool:
    if isinstance(problem, Refused):
        return problem.calls_for is Remedy.RETRY
    return isinstance(problem, NotSent | OutcomeUnknown)

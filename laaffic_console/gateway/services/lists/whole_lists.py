"""Reading one of Laaffic's lists to its end, page by page, while it may change under the reader."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from laaffic_console.laaffic import IncompleteList, LaafficError, NotSent, OutcomeUnknown, Refused
from laaffic_console.laaffic.codes import Remedy
from laaffic_console.laaffic.pages import Page, every_page

PAGE_SIZE = 100  # the most that the interfaces give (laaffic-api#querybindpage)
READINGS = 3  # at most
TRIES = 3
PAUSE = 0.5  # seconds before the second try; doubled for the third

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one reading has seen of a list."""

    is_whole: bool  # every page came, and as many rows as the list says that it has
    unreadable: int  # rows that may be anything
    pages: int = 0

    @property
    def is_complete(self) -> bool:
        return self.is_whole and not self.unreadable

    def without(self, lost: int) -> "Seen":
        """The same, where as many rows could not be kept as `lost` says."""
        return replace(self, unreadable=self.unreadable + lost)


def read_all(
    fetch: Callable[[int], Page[Record]],
    *,
    take: Callable[[Sequence[Record]], None],
    name_of: Callable[[Record], str],
    is_missing: Callable[[], bool],
) -> "Seen":
    """Hand each page to `take`.

    Rows that end while we read move later ones to pages that we have read already. Where as many new ones came,
    the total stays as it was, and nothing tells that one was passed over. So what `is_missing` says to be missing is
    missing once two whole readings of several pages have not seen it. When the list does not rest, nothing can be
    concluded from what was not seen. A row that cannot be read may be anything, so then nothing can either; the rows
    and pages after it are read anyway.
    """
    seen, whole = Seen(False, 0), 0
    for _reading in range(READINGS):
        seen = _read_once(fetch, take, name_of)
        whole += seen.is_whole
        if seen.is_whole and (whole == 2 or seen.pages < 2 or seen.unreadable or not is_missing()):
            return seen
    return replace(seen, is_whole=False)


def _read_once(
    fetch: Callable[[int], Page[Record]], take: Callable[[Sequence[Record]], None], name_of: Callable[[Record], str]
) -> Seen:
    unreadable = pages = 0
    try:
        for page in every_page(lambda current: patiently(lambda: fetch(current)), "the list", name_of=name_of):
            take(page.records)
            unreadable, pages = unreadable + len(page.problems), pages + 1
    except IncompleteList:
        return Seen(False, unreadable, pages)
    return Seen(True, unreadable, pages)


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

"""Reading one of Laaffic's lists to its end, page by page, while it may change under the reader."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from laaffic_console.laaffic import IncompleteList, LaafficError, NotSent, OutcomeUnknown, Refused
from laaffic_console.laaffic.codes import Remedy
from laaffic_console.laaffic.pages import Page, every_page

PAGE_SIZE = 100  # the most that the interfaces give (wire §2.12)
READINGS = 2
TRIES = 3
PAUSE = 0.5  # seconds before the second try; doubled for the third

Record = TypeVar("Record")


def read_all(
    fetch: Callable[[int], Page[Record]],
    *,
    take: Callable[[Sequence[Record]], None],
    name_of: Callable[[Record], str],
) -> bool:
    """Hand each page to `take`; True when all of the list was seen.

    Rows that end while we read move later ones to pages that we have read already, so the list is read once more where
    something is missing. When that does not help, nothing can be concluded from what was not seen.
    """
    return any(_read_once(fetch, take, name_of) for _reading in range(READINGS))


def _read_once(
    fetch: Callable[[int], Page[Record]], take: Callable[[Sequence[Record]], None], name_of: Callable[[Record], str]
) -> bool:
    try:
        for page in every_page(lambda current: patiently(lambda: fetch(current)), "the list", name_of=name_of):
            take(page.records)
            if page.problems:
                return False  # what cannot be read may be anything
    except IncompleteList:
        return False
    return True


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

"""Reading one of Laaffic's lists to its end, page by page, while it may change under the reader."""

import functools
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from laaffic_console.laaffic import LaafficError, NotSent, OutcomeUnknown, Refused
from laaffic_console.laaffic.codes import Remedy
from laaffic_console.laaffic.pages import Page

PAGE_SIZE = 100  # the most that the interfaces give (wire §2.12)
MAX_PAGES = 10_000
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

    Rows that end while we read move later ones to pages that we have read already. So what was seen is counted against
    the largest total that a page named, and the list is read once more where something is missing. When that does not
    help, nothing can be concluded from what was not seen.
    """
    return any(_read_once(fetch, take, name_of) for _reading in range(READINGS))


def _read_once(
    fetch: Callable[[int], Page[Record]], take: Callable[[Sequence[Record]], None], name_of: Callable[[Record], str]
) -> bool:
    seen: set[str] = set()
    rows, total = 0, -1
    before: list[Record] = []
    for current in range(1, MAX_PAGES + 1):
        page = patiently(functools.partial(fetch, current))
        if page.rows and page.records == before:
            return False  # the same page again: no end of this list can be told
        take(page.records)
        seen.update(name_of(record) for record in page.records)
        if page.problems:
            return False  # what cannot be read may be anything
        rows, before = rows + page.rows, page.records
        total = max(total, page.total if page.total is not None else -1)
        if page.rows == 0 or (page.rows < PAGE_SIZE if page.total is None else rows >= page.total):
            return len(seen) >= total
    return False


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

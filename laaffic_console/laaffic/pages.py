"""Answers that come in pages: `data` with `total size current pages records` (wire §2.12)."""

import reprlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.errors import OutcomeUnknown
from laaffic_console.laaffic.interfaces import check_range
from laaffic_console.laaffic.reports import count

LARGEST_PAGE = 100

T = TypeVar("T")


class MalformedRecord(ValueError):
    """A row that cannot be what was asked for; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of what there is. `total` and `pages` are what the gateway says: None where it says nothing."""

    records: list[T]
    problems: list[str]  # rows that could not be read, in words; they never cost the others
    total: int | None
    pages: int | None
    current: int  # as it was asked for: answers have been seen that name another

    @property
    def rows(self) -> int:
        return len(self.records) + len(self.problems)


def request(current: int, size: int, params: dict[str, Any]) -> dict[str, Any]:
    check_range("current", current, 1, 1_000_000)
    check_range("size", size, 1, LARGEST_PAGE)
    return {"current": current, "size": size, "params": params}


def read_page(envelope: Envelope, current: int, interface: str, read: Callable[[dict[str, Any]], T]) -> Page[T]:
    """Rows of `data.records`; an answer without them says nothing, which is not the same as "there are none"."""
    body = {str(key).strip(): value for key, value in envelope.body.items()}
    data = body.get("data")
    found = data.get("records") if isinstance(data, dict) else data
    if found is None and isinstance(data, dict) and count(data.get("total")) == 0:
        found = []
    if not isinstance(found, list):
        raise OutcomeUnknown("the answer holds no records", interface=interface)
    records, problems = read_rows(found, read)
    told = data if isinstance(data, dict) else {}
    return Page(records, problems, count(told.get("total")), count(told.get("pages")), current)


def read_rows(rows: list[Any], read: Callable[[dict[str, Any]], T]) -> tuple[list[T], list[str]]:
    """Each row by `read`, with its keys stripped; what is no row becomes a problem in words."""
    records: list[T] = []
    problems: list[str] = []
    for row in rows:
        if not isinstance(row, dict):
            problems.append(f"not an object: {reprlib.repr(row)[:80]}")
            continue
        try:
            records.append(read({str(key).strip(): value for key, value in row.items()}))
        except MalformedRecord as problem:
            problems.append(str(problem))
    return records, problems


def every_page(ask: Callable[[int], Page[T]], interface: str, size: int = LARGEST_PAGE) -> Iterator[Page[T]]:
    """All pages in order. OutcomeUnknown where not all can have come: a page repeats the one before it, or the pages
    end before the total.

    Totals that differ from page to page mean that rows came or went meanwhile, and one may have slipped between two
    pages: list once more before calling anything gone.
    """
    seen, current = 0, 1
    before: Page[T] | None = None
    while True:
        page = ask(current)
        if not page.rows:
            if page.total is not None and seen < page.total:
                raise OutcomeUnknown(f"only {seen} of {page.total} rows came", interface=interface)
            return
        if before is not None and page.records == before.records and page.problems == before.problems:
            raise OutcomeUnknown(f"page {current} is page {current - 1} again", interface=interface)
        yield page
        seen += page.rows
        if _is_last(page, seen, size):
            return
        before, current = page, current + 1


def _is_last(page: Page[T], seen: int, size: int) -> bool:
    """By the total, which every answer seen has; else by the number of pages; else by a page that is not full."""
    if page.total is not None:
        return seen >= page.total
    if page.pages is not None:
        return page.current >= page.pages
    return page.rows < size

"""Answers that come in pages: `data` with `total size current pages records` (laaffic-api#pages-of-lists)."""

import reprlib
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.errors import OutcomeUnknown
from laaffic_console.laaffic.interfaces import check_range
from laaffic_console.laaffic.reports import count

LARGEST_PAGE = 100
PAGES_WITHOUT_NEWS = 3  # in a row: so many mean that the gateway turns in a circle
MAX_PAGES = 100_000  # bounds a list that never ends; with the smallest pages seen, more than any window holds

T = TypeVar("T")


class MalformedRecord(ValueError):
    """A row that cannot be what was asked for; says what is wrong with it."""


class IncompleteList(OutcomeUnknown):
    """The pages ended, or began again, before everything can have come: what was not seen may be there anyway."""


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
    body = envelope.body
    data = body.get("data")
    found = data.get("records") if isinstance(data, dict) else data
    if found is None and isinstance(data, dict) and count(data.get("total")) == 0:
        found = []
    if not isinstance(found, list):
        raise OutcomeUnknown("the answer holds no records", interface=interface)
    records, problems = read_rows(found, read)
    told = data if isinstance(data, dict) else body
    return Page(records, problems, count(told.get("total")), count(told.get("pages")), current)


def read_rows(rows: list[Any], read: Callable[[dict[str, Any]], T]) -> tuple[list[T], list[str]]:
    """Each row by `read`, with its keys stripped; what is not a row becomes a problem in words."""
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


def unread(row: dict[str, Any], fields: Mapping[str, str]) -> frozenset[str]:
    """Which of `fields`, from the row's names to ours, the row leaves out or fills with a list or an object.

    It says nothing about these; null says that there is none.
    """
    return frozenset(ours for name, ours in fields.items() if isinstance(row.get(name, {}), dict | list))


def itself(record: Hashable) -> Hashable:
    """The name of rows whose id alone may be on several: a call that is repeated, a message of two records."""
    return record


def every_page(
    ask: Callable[[int], Page[T]], interface: str, *, name_of: Callable[[T], Hashable] | None
) -> Iterator[Page[T]]:
    """All pages in order, by their number; IncompleteList after the last that came where not all can have come.

    `name_of` tells a row from every other, so that one which came twice counts once; None for rows without a name.
    A page has as many rows as the gateway likes: the end is where its total is reached, or an empty page.
    """
    return _read(lambda number, _rows: ask(number), _Tally(interface, name_of))


def every_slice(
    ask: Callable[[int], Page[T]], interface: str, *, name_of: Callable[[T], Hashable] | None
) -> Iterator[Page[T]]:
    """Like `every_page`, for lists that are asked for by the number of rows to leave out."""
    return _read(lambda _number, rows: ask(rows), _Tally(interface, name_of))


def _read(ask: Callable[[int, int], Page[T]], tally: "_Tally[T]") -> Iterator[Page[T]]:
    for number in range(1, MAX_PAGES + 1):
        page = ask(number, tally.rows)
        tally.add(page, number)
        if page.rows:
            yield page
        if tally.has_ended(page):
            tally.check()
            return
    raise IncompleteList(f"no end after {MAX_PAGES:,} pages", interface=tally.interface)


class _Tally(Generic[T]):
    """What one reading has seen of a list that may change in the meantime."""

    def __init__(self, interface: str, name_of: Callable[[T], Hashable] | None) -> None:
        self.interface = interface
        self.rows = 0
        self._name_of = name_of
        self._names: set[int] = set()  # hashes: what is told apart is a row, not a text
        self._pages: set[int] = set()
        self._nameless = 0
        self._before: Page[T] | None = None
        self._without_news = 0
        self._total: int | None = None  # as the latest page says
        self._largest = 0  # a row that went may have let another slip to a page that was read already

    def add(self, page: Page[T], number: int) -> None:
        known, before = self._distinct, self._before
        self._count(page)
        if not page.rows:
            return
        if before is not None and (page.records, page.problems) == (before.records, before.problems):
            raise IncompleteList(f"page {number} is page {number - 1} again", interface=self.interface)
        # Rows that were added in front push others, seen already, onto the next page: the end may come behind them.
        self._without_news = 0 if self._distinct > known else self._without_news + 1
        if self._came_before(page) or self._without_news == PAGES_WITHOUT_NEWS:
            raise IncompleteList(f"page {number} holds only rows that came before", interface=self.interface)

    def _came_before(self, page: Page[T]) -> bool:
        """Whether an earlier page had the same rows, in any order."""
        if self._name_of is None or page.problems:
            return False
        rows = hash(frozenset(self._name_of(record) for record in page.records))
        is_known = rows in self._pages
        self._pages.add(rows)
        return is_known

    def _count(self, page: Page[T]) -> None:
        self.rows += page.rows
        if self._name_of is None:
            self._nameless += page.rows
        else:
            self._names.update(hash(self._name_of(record)) for record in page.records)
            self._nameless += len(page.problems)
        self._before = page
        # A total that is smaller than its own page is not one.
        if page.total is not None and page.total >= page.rows:
            self._total, self._largest = page.total, max(self._largest, page.total)

    @property
    def _distinct(self) -> int:
        return len(self._names) + self._nameless

    def has_ended(self, page: Page[T]) -> bool:
        return not page.rows or (self._total is not None and self.rows >= self._total)

    def check(self) -> None:
        if self._distinct < self._largest:
            raise IncompleteList(f"only {self._distinct} of {self._largest} rows came", interface=self.interface)

"""Everything that is known of one person, newest first: each app registers its sources, messaging knows none by name.

A page costs the same wherever it begins: each source reads on behind the last entry that was shown, by its time and its
id, and gives no more than a page.
"""

import datetime as dt
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import DateTimeField, F, Q, QuerySet
from django.db.models.expressions import Combinable, ExpressionWrapper

from laaffic_console.kit.words import dates
from laaffic_console.kit.words.plain_text import whole_number

PAGE = 50
LAST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Person:
    """Anyone who is reached by one of `numbers`, all spellings of one subscriber, the one that was asked for first."""

    numbers: tuple[str, ...]
    emails: tuple[str, ...] = ()
    contact_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    at: dt.datetime
    pk: int  # of the source's row: with `at` its place
    title: str
    text: str = ""
    url: str = ""
    tone: str = ""  # good, warn, bad, moving or ""
    is_unsent: bool = False  # a message that never left, and of which nobody has read a word


@dataclass(frozen=True, slots=True)
class Behind:
    """Where a source reads on: entries older than `at`, and those of exactly that moment with an id below `pk`."""

    at: dt.datetime | None = None
    pk: int = LAST_ID


@dataclass(frozen=True, slots=True)
class Source:
    """`read(person, behind, limit)`: at most `limit` entries, newest first, for anyone who has the right."""

    name: str
    label: Any  # translated when it is shown
    icon: str
    right: str
    read: Callable[[Person, Behind, int], Sequence[Entry]]


@dataclass(frozen=True, slots=True)
class Shown:
    source: Source
    entry: Entry

    @property
    def cursor(self) -> str:
        return f"{self.entry.at.isoformat()}~{self.source.name}~{self.entry.pk}"


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Called from an AppConfig."""
    _sources[source.name] = source


def sources_for(user: User | AnonymousUser) -> list[Source]:
    return [source for _name, source in sorted(_sources.items()) if user.has_perm(source.right)]


def page(person: Person, sources: Iterable[Source], cursor: str = "", size: int = PAGE) -> tuple[list[Shown], str]:
    """One page behind the entry that the cursor names, and the cursor of the next page, "" behind the last one.

    A cursor that nobody can read is the beginning.
    """
    read = [
        [Shown(source, entry) for entry in source.read(person, _behind(cursor, source.name), size + 1)]
        for source in sources
    ]
    # heapq keeps the order of its inputs where two are equal, which is that of the sources' names.
    merged = list(islice(heapq.merge(*read, key=lambda shown: shown.entry.at, reverse=True), size + 1))
    shown = merged[:size]
    return shown, shown[-1].cursor if len(merged) > size else ""


def everything(person: Person, sources: Sequence[Source]) -> Iterator[Shown]:
    """All of it, page by page."""
    cursor = ""
    while True:
        shown, cursor = page(person, sources, cursor, 500)
        yield from shown
        if not cursor:
            return


def is_cursor(text: str) -> bool:
    """Whether it names an entry."""
    return _behind(text, "") != Behind()


def _behind(cursor: str, name: str) -> Behind:
    """Where a source reads on after the cursor: sources before the cursor's own have shown all of that moment."""
    moment, _, rest = cursor.partition("~")
    source, _, pk = rest.partition("~")
    at = dates.read(moment)
    row = whole_number(pk)
    if at is None or row is None:
        return Behind()
    return Behind(at, row if name == source else LAST_ID if name > source else 0)


def rows_behind(rows: QuerySet[Any], at: str | Combinable, behind: Behind, limit: int) -> QuerySet[Any]:
    """For a source: its rows as `at_moment` orders them."""
    moment = F(at) if isinstance(at, str) else at
    placed = rows.annotate(at_moment=ExpressionWrapper(moment, output_field=DateTimeField()))
    if behind.at is not None:
        placed = placed.filter(Q(at_moment__lt=behind.at) | Q(at_moment=behind.at, pk__lt=behind.pk))
    page: QuerySet[Any] = placed.order_by("-at_moment", "-pk")[:limit]
    return page

"""What can be exported. Apps register their kinds when they are made ready; this app knows none of them.

A kind is given parameters, a small JSON object that says of what, and who asks: a name beside a number is only for
those who may see contacts. Nobody (None) is the command line, which may see everything.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.contrib.auth.models import User

from laaffic_console.kit.files import exports

Parameters = dict[str, Any]
Row = Sequence[Any]


class NotExportable(Exception):
    """What was asked for is not there, or makes no sense; the sentence says so."""


class NotExportableNow(NotExportable):
    """It is there, and its state does not permit it."""


def may_see_contacts(user: User | None) -> bool:
    """Whether files may tell `user` whom a number belongs to, as pages do; the command line (None) may."""
    return user is None or user.has_perm("messaging.view_contact")


# Writes a file that is more than one list: of what, for whom, into what, and the kind's rows, which are the longest of
# its lists: while they are read a worker can be stopped and says how far it is.
Write = Callable[[Parameters, User | None, BinaryIO, Iterable[Row]], None]


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    rights: tuple[str, ...]
    title: Callable[[Parameters], str]
    rows: Callable[[Parameters, User | None], Iterator[Row]]  # the header, then a row each, in windows of a key
    # How many rows there are, looking at no more than so many. NotExportable where there is nothing of that name.
    count: Callable[[Parameters, User | None, int], int]
    expected: Callable[[Parameters], int | None] = lambda parameters: None  # all of them, where that is known
    write: Write | None = None  # None: the file is its rows, as CSV or XLSX

    @property
    def formats(self) -> tuple[str, ...]:
        return exports.KINDS if self.write is None else ("zip",)


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


def named(name: str) -> Kind:
    """NotExportable for one that an earlier version had."""
    try:
        return _kinds[name]
    except KeyError as problem:
        raise NotExportable(f"This console no longer knows exports of the kind “{name}”.") from problem

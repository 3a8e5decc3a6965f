"""What can be found from everywhere: each app registers its kinds of things, the dashboard asks them all.

A kind says which right it needs, so nobody finds what they may not see, and how it looks things up: by an index and
never more than it is asked for, however long the history got.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from laaffic_console.kit.masking import masks
from laaffic_console.kit.registers import menu
from laaffic_console.kit.words.plain_text import digits_of, plain, whole_number

SHORTEST, LONGEST = 2, 200  # characters
LOOKED_AT = 1000  # rows of which the newest are shown
FEWEST_DIGITS = 4  # in the end of a number that is looked for by it


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed: `text` without marks that nobody sees, `digits` where it looks like a number."""

    text: str
    digits: str

    @classmethod
    def read(cls, typed: str) -> "Query":
        text = plain(typed.replace("\0", ""))
        return cls(text, digits_of(text) if len(text) <= LONGEST else "")

    @property
    def problem(self) -> str:
        """Why nothing can be looked for, in a sentence that says what to do; "" where it can."""
        if len(self.text) > LONGEST:
            return _("The search is too long: use at most %(n)d characters.") % {"n": LONGEST}
        if 0 < len(self.text) < SHORTEST:
            return _("One character finds too much: type at least two, or four digits of a number.")
        return ""

    @property
    def row_id(self) -> int | None:
        """The id of a row, where digits say one."""
        return whole_number(self.text.removeprefix("#"))

    @property
    def may_be_a_number(self) -> bool:
        return FEWEST_DIGITS <= len(self.digits) <= 20


@dataclass(frozen=True, slots=True)
class Result:
    title: str
    subtitle: str
    url: str
    language: str = ""  # as HTML names it, where it may not be the page's


@dataclass(frozen=True, slots=True)
class Kind:
    """`find(query, limit)` gives at most `limit` results; `more(query)` the address of all of them, "" for none.

    Without a right it is for everybody who has signed in.
    """

    name: str
    label: Any  # translated when it is shown
    icon: str
    right: str  # "messaging.view_contact"
    find: Callable[[Query, int], Sequence[Result]]
    more: Callable[[Query], str] = lambda query: ""
    acts: tuple[str, ...] = ()  # rights that alone bring the page into the menu (kit/registers/menu.py)
    place: int = 50  # people are first, records of machines last
    most: int = 0  # results beside those of other kinds; 0: as many as of each


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Called from an AppConfig."""
    _kinds[kind.name] = kind


def for_person(user: User | AnonymousUser) -> list[Kind]:
    """The kinds that this user may see, in their order."""
    seen = [kind for kind in _kinds.values() if not kind.right or menu.concerns(user, kind.right, kind.acts)]
    return sorted(seen, key=lambda kind: (kind.place, kind.name))


def listed(list_page: str) -> Callable[[Query], str]:
    """A `Kind.more`: the address of the admin's list, with the same search in its own box."""
    return lambda query: f"{reverse(f'admin:{list_page}')}?{urlencode({'q': query.text})}"


def rows_of(
    rows: QuerySet[Any],
    condition: Callable[[Query], Q | None],
    page: str,
    title: Callable[[Any], object] = str,
    subtitle: Callable[[Any], object] = lambda row: "",
) -> Callable[[Query, int], list[Result]]:
    """A `Kind.find`: the newest rows for which `condition(query)` holds; None finds nothing and asks nothing.

    Where half a table begins so, the newest of the first thousand: to sort them all would take longer with each that
    comes.
    """

    def find(query: Query, limit: int) -> list[Result]:
        asked = condition(query)
        if asked is None:
            return []
        some = rows.filter(asked).order_by().values("pk")[:LOOKED_AT]
        found = rows.filter(pk__in=some).order_by("-pk")[:limit]
        return [Result(str(title(row)), str(subtitle(row)), reverse(f"admin:{page}", args=[row.pk])) for row in found]

    return find


def named(*columns: str) -> Callable[[Query], Q]:
    """A condition for short tables: a part of the name in any case, or the row's id."""

    def condition(query: Query) -> Q:
        asked = Q() if query.row_id is None else Q(pk=query.row_id)
        for column in columns:
            asked |= Q(**{f"{column}__icontains": query.text})
        return asked

    return condition


def beginning_with(column: str, digits: str) -> Q:
    """Numbers that begin with `digits`, as a range of an index in whatever order the database keeps digits.

    Who sees masks finds the one that it is as a whole: by beginnings they would find out digit after digit.
    """
    if not masks.may_see():
        return Q(**{column: digits})
    return Q(**{f"{column}__gte": digits, f"{column}__lte": digits + "9" * 20})

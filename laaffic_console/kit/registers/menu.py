"""The lines of the menu: each app registers its own when it is made ready; the dashboard has the groups."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from django.utils.functional import lazy

if TYPE_CHECKING:  # the settings read the menu before there are models
    from django.contrib.auth.models import AnonymousUser, User


@cache
def _kept(page: str, prefix: str) -> str:
    return reverse(page)


def _address(page: str) -> str:
    return _kept(page, get_script_prefix())


# Like reverse_lazy, but found out once: each page draws some sixty of these, and asks each two or three times.
address = lazy(_address, str)


class Group(StrEnum):
    SEND = "send"
    VOICE = "voice"
    PEOPLE = "people"
    NUMBERS = "numbers"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Line:
    """`page` is the name of its address in the admin, `key` what leads there after g.

    A page of the machinery is in the way of who does nothing there: `acts` names the rights by which somebody does, and
    the line is for anyone who has one of them. Who knows the address may look as before.
    """

    title: Any
    icon: str
    page: str
    permission: str
    key: str = ""
    counts: str = ""  # the dotted path of a function: request → what waits there for this person
    acts: tuple[str, ...] = ()

    def drawn(self) -> dict[str, Any]:
        """The line as unfold takes it."""
        shown = {
            "title": self.title,
            "icon": self.icon,
            "link": address(f"admin:{self.page}"),
            "permission": may(self.permission, *self.acts),
            "key": self.key,
        }
        return {**shown, "counts": self.counts} if self.counts else shown


def may(permission: str, *acts: str) -> Callable[[HttpRequest], bool]:
    return lambda request: concerns(request.user, permission, acts)


def concerns(user: "User | AnonymousUser", permission: str, acts: Sequence[str]) -> bool:
    """Whether somebody may see a page and, where `acts` are named, do something there."""
    return user.has_perm(permission) and (not acts or any(user.has_perm(act) for act in acts))


# Each line with what is drawn of it, made once: it is the same for everybody, and in every language.
_lines: dict[Group, list[tuple[Line, dict[str, Any]]]] = {group: [] for group in Group}


def stand_under(request: HttpRequest, page: str) -> None:
    """Show that page's line of the menu as the open one, though this page's address lies beneath another."""
    request.stands_under = reverse(page)  # type: ignore[attr-defined]


def register(group: Group, *lines: Line) -> None:
    there = [line for line, _drawn in _lines[group]]
    _lines[group].extend((line, line.drawn()) for line in lines if line not in there)


def title_of(page: str) -> Any:
    """What the menu calls the page of that name; "" where it has no line for it."""
    return next((line.title for group in _lines.values() for line, _drawn in group if line.page == page), "")


def title_at(path: str) -> Any:
    """Like `title_of`, by the page's address."""
    drawn = (each for group in _lines.values() for _line, each in group)
    return next((each["title"] for each in drawn if str(each["link"]) == path), "")


def lines(group: Group) -> list[dict[str, Any]]:
    """The group's lines in the order in which they were registered."""
    return [drawn for _line, drawn in _lines[group]]

"""The lines of the menu: each app registers its own when it is made ready; the dashboard has the groups."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy


class Group(StrEnum):
    SEND = "send"
    VOICE = "voice"
    PEOPLE = "people"
    NUMBERS = "numbers"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Line:
    """`page` is the name of its address in the admin, `key` what leads there after g."""

    title: Any
    icon: str
    page: str
    permission: str
    key: str = ""
    counts: str = ""  # the dotted path of a function: request → what waits there for this person

    def drawn(self) -> dict[str, Any]:
        """As unfold takes it."""
        shown = {
            "title": self.title,
            "icon": self.icon,
            "link": reverse_lazy(f"admin:{self.page}"),
            "permission": may(self.permission),
            "key": self.key,
        }
        return {**shown, "counts": self.counts} if self.counts else shown


def may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


_lines: dict[Group, list[Line]] = {group: [] for group in Group}


def register(group: Group, *lines: Line) -> None:
    _lines[group].extend(line for line in lines if line not in _lines[group])


def lines(group: Group) -> list[dict[str, Any]]:
    """In the order in which they were registered."""
    return [line.drawn() for line in _lines[group]]

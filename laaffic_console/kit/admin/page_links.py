"""Links above a list, to pages of the console that belong to it, for those who may open them."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse


@dataclass(frozen=True)
class PageLink:
    name: str  # the page's name, for reverse()
    label: Any
    permission: str
    also: tuple[str, ...] = ()  # rights that the page asks for beside it
    query: str = ""

    @property
    def url(self) -> str:
        return reverse(self.name) + (f"?{self.query}" if self.query else "")

    def may_be_opened_by(self, user: Any) -> bool:
        return bool(user.has_perms((self.permission, *self.also)))

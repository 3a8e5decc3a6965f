"""Search everything: what was typed is asked of every kind that the reader may see, people first."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _

from laaffic_console.kit.registers import search_kinds
from laaffic_console.kit.registers.search_kinds import Kind, Query, Result

SHOWN = 8
SHOWN_ALONE = 100  # of one kind, where it has no list that searches alike


@dataclass(frozen=True, slots=True)
class Part:
    kind: Kind
    results: list[Result]
    more: str  # the address of all results; "" where these are all
    is_cut: bool = False  # there are more than can be shown at all


@dataclass(frozen=True, slots=True)
class Found:
    query: Query
    parts: list[Part]
    problem: str = ""  # a sentence, where nothing was looked for

    @property
    def count(self) -> int:
        return sum(len(part.results) for part in self.parts)


def find(user: User | AnonymousUser, typed: str, only: str = "") -> Found:
    """At most SHOWN results of each kind, or as it says; of the kind `only`, alone, at most SHOWN_ALONE."""
    query = Query.read(typed)
    if not query.text or query.problem:
        return Found(query, [], query.problem)
    kinds = search_kinds.for_person(user)
    chosen = [kind for kind in kinds if kind.name == only]
    parts = [_part(kind, query, is_alone=bool(chosen)) for kind in chosen or kinds]
    return Found(query, [part for part in parts if part.results])


def _part(kind: Kind, query: Query, *, is_alone: bool) -> Part:
    limit = SHOWN_ALONE if is_alone else kind.most or SHOWN
    found = list(kind.find(query, limit + 1))
    has_more = len(found) > limit
    more = ""
    if has_more and not is_alone:
        more = kind.more(query) or page_of(query.text, kind.name)
    return Part(kind, found[:limit], more, is_cut=has_more and is_alone)


def page_of(text: str, only: str = "") -> str:
    return f"{reverse('search_everything')}?{urlencode({'q': text} | ({'kind': only} if only else {}))}"


def for_palette(found: Found) -> list[dict[str, Any]]:
    """The results as unfold's palette draws them: {title, description, link, icon, language}."""
    if not found.query.text:
        return []
    if found.problem:
        return [{"title": found.problem, "description": "", "link": page_of(found.query.text[:50]), "icon": "info"}]
    items = [
        {
            "title": result.title,
            "description": " · ".join(filter(None, [str(part.kind.label), result.subtitle])),
            "link": result.url,
            "icon": part.kind.icon,
            "language": result.language,
        }
        for part in found.parts
        for result in part.results
    ]
    if items:
        whole = _("All results for “%(text)s”") % {"text": found.query.text}
        items.append({"title": whole, "description": "", "link": page_of(found.query.text), "icon": "manage_search"})
    return items

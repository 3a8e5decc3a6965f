"""What the front page shows: each app registers its cards and first steps when it is made ready.

A card is asked each time that the page is drawn, so it looks at tallies and indexes alone (laws#history-costs-nothing).
What it calls is named by its dotted path: nobody loads it who draws no page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString


class Place(StrEnum):
    """The places of the front page from top to bottom; the last two are beside each other."""

    HOLD = "hold"  # inside the notice that the account is held: what waits for it
    NOTICES = "notices"
    FIGURES = "figures"
    UNDER_WAY = "under_way"
    WIDE = "wide"
    NARROW = "narrow"


@dataclass(frozen=True, slots=True)
class Card:
    """`shows` is the dotted path of a function: request → the template's values, or None where there is nothing."""

    place: Place
    order: int  # among those of its place, over all apps
    template: str
    shows: str
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of setting up a new console, shown only to those who may take it: they have `permission`."""

    order: int
    says: Any
    why: Any
    button: Any
    page: str
    permission: str
    is_done: Callable[[], bool]


_cards: list[Card] = []
_steps: list[Step] = []


def register(*cards: Card) -> None:
    _cards.extend(card for card in cards if card not in _cards)
    _cards.sort(key=lambda card: card.order)


def register_steps(*steps: Step) -> None:
    _steps.extend(step for step in steps if step not in _steps)
    _steps.sort(key=lambda step: step.order)


def steps() -> list[Step]:
    return list(_steps)


def drawn(request: HttpRequest) -> dict[str, list[SafeString]]:
    """{place: the cards that this person may see and that have something to show}."""
    found: dict[str, list[SafeString]] = {place.value: [] for place in Place}
    for card in _cards:
        if card.permission and not request.user.has_perm(card.permission):
            continue
        values = import_string(card.shows)(request)
        if values is not None:
            found[card.place].append(render_to_string(card.template, values, request))
    return found

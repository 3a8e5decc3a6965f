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

    HOLD = "hold"  # inside the notice of one hold: what waits for its end
    NOTICES = "notices"
    FIGURES = "figures"
    UNDER_WAY = "under_way"
    WIDE = "wide"
    NARROW = "narrow"


@dataclass(frozen=True, slots=True)
class Card:
    """`shows` is the dotted path of a function: request → the template's values, or None where there is nothing.

    In a hold's notice it is given that hold, too.
    """

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
    found: dict[str, list[SafeString]] = {place.value: [] for place in Place if place is not Place.HOLD}
    for card in _seen_by(request):
        if card.place is not Place.HOLD and (values := import_string(card.shows)(request)) is not None:
            found[card.place].append(render_to_string(card.template, values, request))
    return found


def in_hold(request: HttpRequest, hold: Any) -> list[SafeString]:
    """The cards that this person may see inside the notice of one hold."""
    cards = [card for card in _seen_by(request) if card.place is Place.HOLD]
    drawn_of = [(card, import_string(card.shows)(request, hold)) for card in cards]
    return [render_to_string(card.template, values, request) for card, values in drawn_of if values is not None]


def _seen_by(request: HttpRequest) -> list[Card]:
    return [card for card in _cards if not card.permission or request.user.has_perm(card.permission)]

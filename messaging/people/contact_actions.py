"""Actions on chosen contacts that other apps bring: messaging knows none of them by name."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ContactAction:
    """`run` is the dotted path of a function of the admin (model_admin, request, chosen contacts) → answer or None."""

    name: str
    words: Any  # translated when they are shown
    permission: str  # who is offered it; the function checks again
    run: str


_actions: dict[str, ContactAction] = {}


def register(action: ContactAction) -> None:
    """Called from an AppConfig."""
    _actions[action.name] = action


def registered() -> list[ContactAction]:
    return list(_actions.values())

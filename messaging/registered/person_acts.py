"""What can be done about one person, as links on their page and on their contact's: messaging knows no other app."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.utils.module_loading import import_string

from messaging.models import Contact
from messaging.services.contacts import suppression


@dataclass(frozen=True, slots=True)
class PersonAct:
    """`address` is the dotted path of a function (number, contact or None) → the form's address, with them filled in;
    "" where the form would not take them."""

    name: str
    words: Any  # translated when they are shown
    permission: str
    address: str
    suppressed_on: Sequence[str]  # the channels whose entries of the suppression list forbid it
    stopped: Any  # said instead, of a number that is on one of them


@dataclass(frozen=True, slots=True)
class Offer:
    name: str
    words: str
    address: str  # "" where the number is suppressed: then `words` say so


_acts: dict[str, PersonAct] = {}


def register(act: PersonAct) -> None:
    """Called from an AppConfig."""
    _acts[act.name] = act


def offered(user: User | AnonymousUser, number: str, contact: Contact | None) -> list[Offer]:
    """What this user may do about the number; a form that would refuse it is not offered."""
    offers = []
    for act in _acts.values():
        if not user.has_perm(act.permission):
            continue
        if suppression.suppressed_among([number], channels=act.suppressed_on):
            offers.append(Offer(act.name, str(act.stopped), ""))
        elif address := import_string(act.address)(number, contact):
            offers.append(Offer(act.name, str(act.words), address))
    return offers

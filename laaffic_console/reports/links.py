"""What lies behind a report's figures: pages of other apps, which name them when they are made ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import models
from django.urls import reverse

from laaffic_console.kit.words.plain_text import whole_number

Reader = AbstractBaseUser | AnonymousUser | User


@dataclass(frozen=True, slots=True)
class Behind:
    """What reports link to for campaigns of a kind: their page, and the list of what was sent, by its state."""

    model: type[models.Model]
    page: str  # the name of an address that takes the campaign's id
    right: str
    recipients: str = ""  # the name of the list's address
    recipients_right: str = ""
    # {a column of reports: the list's query for it}
    states: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


_behind: dict[str, Behind] = {}


def register(kind: str, behind: Behind) -> None:
    """`kind` as in the key of a campaign: campaign:7."""
    _behind[kind] = behind


def is_there(key: str) -> bool:
    """Whether there is such a campaign: one that was sent is never deleted."""
    behind, pk = _read(key)
    return behind is not None and behind.model._default_manager.filter(pk=pk).exists()


def campaign_page(key: str, reader: Reader) -> str:
    """ "" where there is none, or they may not see it."""
    behind, pk = _read(key)
    return reverse(behind.page, args=[pk]) if behind and _may(reader, behind.right) else ""


def recipients(key: str, column: str, reader: Reader, *, reason: str = "") -> str:
    """The list of a campaign's recipients of whom a figure tells; "" where there is none."""
    behind, pk = _read(key)
    if behind is None or not behind.recipients or column not in behind.states:
        return ""
    if not _may(reader, behind.recipients_right):
        return ""
    query = {"campaign__id__exact": pk, **behind.states[column]}
    if reason:
        query["reason__exact"] = reason
    return f"{reverse(behind.recipients)}?{urlencode(query)}"


def _read(key: str) -> tuple[Behind | None, int]:
    kind, _colon, pk = key.rpartition(":")
    number = whole_number(pk)
    return (None, 0) if number is None else (_behind.get(kind), number)


def _may(reader: Reader, right: str) -> bool:
    return isinstance(reader, User) and reader.has_perm(right)

"""The kinds of draft that can need a second person's word, and what the rules of approval have to know of each.

The rules, the asking and the deciding are the same for all of them (`approval_rules`, `approvals`); a kind says what a
draft would do and what a word on it is bound to. Another app adds its own with `register` when it is made ready, as it
adds a channel; messaging need not know it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db.models import Model

from laaffic_console.kit.words.said import gettext as _
from messaging.models import CampaignState
from messaging.services.approvals import shown
from messaging.services.approvals.shown import Shown
from messaging.services.reports.prices import Cost

DRAFT = CampaignState.DRAFT  # every kind of draft says it with the same word


@dataclass(frozen=True, slots=True)
class Plan:
    """What a launch would do, as far as an approval is about it."""

    shown: Shown | None  # None while its recipients are being counted
    cost: Mapping[str, Decimal]
    has_prices: bool = True  # False where no price binds: the cost is what was learned, and for people only
    by_country: Cost | None = None  # the cost in full, where it is known by country

    @property
    def recipients(self) -> int | None:
        return self.shown.recipients if self.shown else None

    @property
    def unpriced(self) -> int:
        return self.shown.unpriced if self.shown else 0


class Approvable(ABC):
    """A kind of draft. Its model has `name`, `state`, `created_by`, `authors` and `approvals`."""

    model: ClassVar[type[Model]]
    draft: ClassVar[str]  # the field of Approval that holds it
    names: ClassVar[Mapping[str, Any]] = shown.NAMES  # {part of the draft: its name in a sentence}
    moved: ClassVar[Sequence[str]] = shown.MOVED_SINCE_LAUNCH  # what its own steps change once it was launched

    def needs_none(self, draft: Any) -> bool:
        """Whether one person is enough however big it is."""
        return False

    @abstractmethod
    def prepare(self, pk: int, *, within_request: bool, is_on: bool) -> None:
        """Find out whom it reaches, however long that takes: before a lock is held."""

    @abstractmethod
    def locked(self, pk: int) -> Any: ...

    @abstractmethod
    def check_ready(self, draft: Any) -> None:
        """ValidationError where it could not be launched at all."""

    @abstractmethod
    def plan(self, draft: Any, known: Any = None) -> Plan:
        """`known`: what the caller has found out about the draft already."""

    @abstractmethod
    def parts(self, draft: Any) -> dict[str, str]:
        """{part: digest} of the draft's own fields."""

    @abstractmethod
    def note(self, draft: Any, text: str, by: User | None) -> None:
        """Keep it among what happened to the draft."""

    def people_words(self, before: Shown, now: Shown) -> str:
        """The sentence for a draft that reaches others than before."""
        return shown.people_words(before, now)

    def names_any(self, draft: Any, numbers: Sequence[str]) -> bool:
        """Whether any of these people is among those whom it names; True where nobody can tell."""
        return bool(numbers)

    def is_launched(self, draft: Any) -> bool:
        """Nobody can edit it any more."""
        return bool(draft.state != DRAFT)

    def how_to_approve(self, draft: Any) -> str:
        """A sentence: what to do about a draft that was launched without the approval it needs now."""
        return _("Make it a draft again: then it can be approved.")

    def changes(self, draft: Any, before: Shown, now: Shown, learned: Cost | None = None) -> list[str]:
        """What has changed since an approval was given; that some people were suppressed does not count."""
        return shown.changes(
            before,
            now,
            fewer_is_fine=True,
            moved=self.moved if self.is_launched(draft) else (),
            names=self.names,
            people=self.people_words,
            names_any=partial(self.names_any, draft),
            learned=learned,
        )

    def right(self, verb: str) -> str:
        """Its permission to view, launch or approve."""
        return f"{self.model._meta.app_label}.{verb}_{self.model._meta.model_name}"


_KINDS: dict[type[Model], Approvable] = {}


def register(kind: Approvable) -> None:
    _KINDS[kind.model] = kind


def kind(model: type[Model]) -> Approvable:
    return _KINDS[model._meta.concrete_model or model]


def kind_of(draft: Any) -> Approvable:
    return kind(type(draft))


def kinds() -> list[Approvable]:
    return list(_KINDS.values())

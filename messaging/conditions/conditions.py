"""Conditions on contacts: who is in an audience. People write them in a small language (condition_texts.py).

    country in (IN, BD) and attribute.city = "Pune" and not group "Staff" and last_delivered < 30 days ago

A condition is either so or not so for a contact; nothing is unknown. `!=` is the contrary of `=`: who has no city is
not in Pune. Who was never sent anything has not got it before a day either: that is `last_delivered never`.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

LONGEST = 4000  # characters
DEEPEST = 30  # brackets and nots in one another
COLUMNS = ("country", "language")
ATTRIBUTE = "attribute."
ADDED, IMPORTED = "added", "imported"
LAST = ("last_delivered", "last_failed", "last_replied", "last_opted_out")
UNITS = {"hour": 1, "day": 24, "week": 7 * 24}
MOST_HOURS = 24 * 366 * 50


class ConditionError(ValueError):
    """What is wrong, where, and what to write instead; `at` is the character that it is about, from 0."""

    def __init__(self, says: str, at: int) -> None:
        super().__init__(_("At character %(at)d: %(says)s") % {"at": at + 1, "says": says})
        self.says, self.at = says, at


@dataclasses.dataclass(frozen=True, slots=True)
class Every:
    parts: tuple["Condition", ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Either:
    parts: tuple["Condition", ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Contrary:
    part: "Condition"


@dataclasses.dataclass(frozen=True, slots=True)
class OneOf:
    field: str  # a column, or "attribute." and its name
    values: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Contains:
    field: str
    value: str


@dataclasses.dataclass(frozen=True, slots=True)
class IsSet:
    field: str


@dataclasses.dataclass(frozen=True, slots=True)
class InGroup:
    name: str
    group: int = 0  # its id, once it has been looked up: a group may get another name


@dataclasses.dataclass(frozen=True, slots=True)
class InCampaign:
    campaign: int


@dataclasses.dataclass(frozen=True, slots=True)
class Replied:
    """Has written something that is taken as an answer to the campaign: to the last one that had reached them."""

    campaign: int


@dataclasses.dataclass(frozen=True, slots=True)
class Happened:
    """At or after a moment, or before it: a day as it begins on the console's clock, or so many hours ago."""

    what: str
    before: bool
    day: str = ""
    hours_ago: int = 0

    def moment(self, now: dt.datetime) -> dt.datetime:
        if not self.day:
            return now - dt.timedelta(hours=self.hours_ago)
        return timezone.make_aware(dt.datetime.fromisoformat(self.day), timezone.get_default_timezone())


@dataclasses.dataclass(frozen=True, slots=True)
class Never:
    what: str


Condition = Every | Either | Contrary | OneOf | Contains | IsSet | InGroup | InCampaign | Replied | Happened | Never
KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (Every, Either, Contrary, OneOf, Contains, IsSet, InGroup, InCampaign, Replied, Happened, Never)
}


def as_json(condition: Condition) -> dict[str, Any]:
    values = {field.name: getattr(condition, field.name) for field in dataclasses.fields(condition)}
    if "parts" in values:
        values["parts"] = [as_json(part) for part in values["parts"]]
    elif "part" in values:
        values["part"] = as_json(values["part"])
    elif "values" in values:
        values["values"] = list(values["values"])
    return {"is": type(condition).__name__, **values}


def from_json(kept: dict[str, Any]) -> Condition:
    values = {name: value for name, value in kept.items() if name != "is"}
    if "parts" in values:
        values["parts"] = tuple(from_json(part) for part in values["parts"])
    elif "part" in values:
        values["part"] = from_json(values["part"])
    elif "values" in values:
        values["values"] = tuple(values["values"])
    condition: Condition = KINDS[kept["is"]](**values)
    return condition


def tests_of(condition: Condition) -> Iterator[Condition]:
    """What it is made of, without and, or and not."""
    if isinstance(condition, Every | Either):
        for part in condition.parts:
            yield from tests_of(part)
    elif isinstance(condition, Contrary):
        yield from tests_of(condition.part)
    else:
        yield condition


def with_tests(condition: Condition, change: Callable[[Condition], Condition]) -> Condition:
    """The condition with each of its tests replaced by `change(test)`."""
    if isinstance(condition, Every | Either):
        return dataclasses.replace(condition, parts=tuple(with_tests(part, change) for part in condition.parts))
    if isinstance(condition, Contrary):
        return Contrary(with_tests(condition.part, change))
    return change(condition)


def one_of(tests: tuple[Condition, ...]) -> Condition:
    return tests[0] if len(tests) == 1 else Either(tests)

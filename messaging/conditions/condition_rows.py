"""A condition as rows that are clicked together: all of them, or any of them, each one test or its contrary.

What rows cannot say, brackets in one another, stays text (conditions.py); both ways nothing is lost.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Self

from django.utils.translation import gettext as _

from laaffic_console.kit.words.plain_text import keepable
from messaging.conditions import condition_texts, conditions
from messaging.conditions.conditions import (
    ADDED,
    ATTRIBUTE,
    COLUMNS,
    IMPORTED,
    LAST,
    UNITS,
    Condition,
    ConditionError,
    Contains,
    Contrary,
    Either,
    Every,
    Happened,
    InCampaign,
    InGroup,
    IsSet,
    Never,
    OneOf,
    Replied,
)

ATTRIBUTES, GROUP, CAMPAIGN = "attribute", "group", "campaign"
MOMENTS = (IMPORTED, ADDED, *LAST)
# How a row may compare, by what it is about.
_SINCE = ("within", "longer", "since", "before")
COMPARES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(COLUMNS, ("one_of", "set")),
    ATTRIBUTES: ("one_of", "contains", "set"),
    GROUP: ("one_of",),
    CAMPAIGN: ("one_of", "replied"),
    **dict.fromkeys((IMPORTED, *LAST), (*_SINCE, "never")),
    ADDED: _SINCE,
}
MOST = 60
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """`name`: of an attribute. `values`: what it is compared with: texts, names, numbers, a day, or how many units."""

    field: str
    compares: str
    is_not: bool = False
    name: str = ""
    values: tuple[str, ...] = ()
    unit: str = "day"

    @classmethod
    def from_json(cls, given: object) -> Self:
        """A row from a page's JSON. Invalid parts become empty; reading the row's condition says what is missing."""
        found: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        texts = {name: keepable(str(found.get(name, ""))) for name in ("field", "compares", "name", "unit")}
        said = {name: text[: conditions.LONGEST] for name, text in texts.items()}
        values = found.get("values")
        several = [keepable(str(value)).strip() for value in values] if isinstance(values, list) else []
        return cls(**said, is_not=found.get("is_not") is True, values=tuple(value for value in several if value))

    def as_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "values": list(self.values)}

    @property
    def is_untouched(self) -> bool:
        """Whether the row is still as a new row begins."""
        return self == type(self)(COLUMNS[0], "one_of")

    def condition(self) -> Condition:
        """ConditionError says what is missing or wrong, and what to do."""
        found = condition_texts.parse(condition_texts.write(self._test()))
        return Contrary(found) if self.is_not else found

    def _test(self) -> Condition:
        if self.field in MOMENTS:
            return self._moment()
        if self.field == GROUP:
            return conditions.one_of(tuple(InGroup(name) for name in self._given(_("Choose a group."))))
        if self.field == CAMPAIGN:
            kind = Replied if self.compares == "replied" else InCampaign
            return conditions.one_of(tuple(kind(_campaign(pk)) for pk in self._given(_("Choose a campaign."))))
        if self.field not in COMPARES:
            raise ConditionError(_("Choose what the row is about."), 0)
        return self._about(self._column())

    def _about(self, field: str) -> Condition:
        if self.compares == "set":
            return IsSet(field)
        values = self._given(_("Choose or write a value, or take “is set”."))
        if self.compares == "contains":
            return conditions.one_of(tuple(Contains(field, value) for value in values))
        return OneOf(field, values)

    def _column(self) -> str:
        if self.field != ATTRIBUTES:
            return self.field
        if not self.name.strip():
            raise ConditionError(_("Choose an attribute."), 0)
        return ATTRIBUTE + self.name.strip()

    def _given(self, missing: str) -> tuple[str, ...]:
        if not self.values:
            raise ConditionError(missing, 0)
        return tuple(dict.fromkeys(self.values))

    def _moment(self) -> Condition:
        if self.compares == "never":
            return Never(self.field)
        said = self.values[0] if self.values else ""
        is_before = self.compares in ("before", "longer")
        if self.compares in ("since", "before"):
            if not _DAY.fullmatch(said):
                raise ConditionError(_("Choose a day."), 0)
            return Happened(self.field, is_before, day=said)
        if not said.isascii() or not said.isdigit() or self.unit not in UNITS:
            raise ConditionError(_("Write how many days, hours or weeks ago, as a whole number."), 0)
        return Happened(self.field, is_before, hours_ago=int(said[:9]) * UNITS[self.unit])


def _campaign(said: str) -> int:
    if not said.isascii() or not said.isdigit() or len(said) > 15:
        raise ConditionError(_("“%(said)s” is not a campaign's number. Choose one of the list.") % {"said": said}, 0)
    return int(said)


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    rows: tuple[Row, ...]
    is_any: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"is_any": self.is_any, "rows": [row.as_json() for row in self.rows]}


def joined(found: tuple[Condition, ...], *, is_any: bool) -> Condition:
    if len(found) == 1:
        return found[0]
    return Either(found) if is_any else Every(found)


def rows_of(condition: Condition) -> Rows | None:
    """None where rows cannot say it."""
    if (lone := _row(condition)) is not None:
        return Rows((lone,))
    if not isinstance(condition, Every | Either) or len(condition.parts) > MOST:
        return None
    rows = [_row(part) for part in condition.parts]
    found = tuple(row for row in rows if row is not None)
    return Rows(found, isinstance(condition, Either)) if len(found) == len(rows) else None


def _row(condition: Condition) -> Row | None:
    if isinstance(condition, Contrary):
        row = _row(condition.part)
        return None if row is None or row.is_not else dataclasses.replace(row, is_not=True)
    if isinstance(condition, Either):
        return _several(condition.parts)
    row = None if isinstance(condition, Every) else _test(condition)
    return row if row and all(_survives(text) for text in (row.name, *row.values)) else None


def _survives(text: str) -> bool:
    """A field on a page would lose spaces at its ends, and lines."""
    return text == text.strip() and not set(text) & {"\n", "\r"}


def _several(parts: tuple[Condition, ...]) -> Row | None:
    """Parts that one row says with several values; those of one field already are one test."""
    rows = [_row(part) for part in parts if isinstance(part, InGroup | InCampaign | Replied | Contains)]
    first = rows[0] if rows else None
    if first is None or len(rows) < len(parts):
        return None
    values = tuple(value for row in rows if row for value in row.values)
    alike = all(row and dataclasses.replace(row, values=()) == dataclasses.replace(first, values=()) for row in rows)
    return dataclasses.replace(first, values=values) if alike and len(set(values)) == len(values) else None


def _test(test: Condition) -> Row | None:
    match test:
        case OneOf():
            return _of(test.field, "one_of", test.values)
        case Contains():
            return _of(test.field, "contains", (test.value,))
        case IsSet():
            return _of(test.field, "set", ())
        case InGroup():
            return Row(GROUP, "one_of", values=(test.name,))
        case InCampaign():
            return Row(CAMPAIGN, "one_of", values=(str(test.campaign),))
        case Replied():
            return Row(CAMPAIGN, "replied", values=(str(test.campaign),))
        case Never():
            return Row(test.what, "never")
        case Happened():
            return _happened(test)
    return None


def _of(field: str, compares: str, values: tuple[str, ...]) -> Row:
    name = field.removeprefix(ATTRIBUTE) if field.startswith(ATTRIBUTE) else ""
    return Row(ATTRIBUTES if name else field, compares, name=name, values=values)


def _happened(test: Happened) -> Row:
    if test.day:
        return Row(test.what, "before" if test.before else "since", values=(test.day,))
    many, unit = condition_texts.in_units(test.hours_ago)
    return Row(test.what, "longer" if test.before else "within", values=(str(many),), unit=unit)

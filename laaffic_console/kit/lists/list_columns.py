"""The columns of a list: hidden ones are not read; times and counts are worded as people say them.

Who hides what is kept by an app above (the dashboard), which says here how it is read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.utils.text import capfirst

from laaffic_console.kit.words import dates, figures

TICKS = "action_checkbox"

_Hidden = Callable[[HttpRequest, type[models.Model]], frozenset[str]]
_readers: list[_Hidden] = []


def kept_by(reader: _Hidden) -> None:
    _readers[:] = [reader]


@dataclass(frozen=True, slots=True)
class Column:
    """One that can be hidden."""

    name: str
    label: str
    is_shown: bool


def name_of(column: Any) -> str:
    return column if isinstance(column, str) else str(column.__name__)


def offered(
    model_admin: Any, columns: Sequence[Any], links: Sequence[Any] | None, hidden: frozenset[str]
) -> list[Column]:
    """The columns that may be hidden; the one that leads to a row, and those without a heading, always stay."""
    fixed = {name_of(one) for one in (links or columns)[:1]} | {TICKS}
    free = [one for one in columns if name_of(one) not in fixed]
    labels = [(name_of(one), label_for_field(one, model_admin.model, model_admin)) for one in free]
    return [Column(name, capfirst(str(label)), name not in hidden) for name, label in labels if label]


def hidden_from(request: HttpRequest, model: type[models.Model]) -> frozenset[str]:
    return next((reader(request, model) for reader in _readers), frozenset())


def drawn(model: type[models.Model], columns: Sequence[Any]) -> list[Any]:
    """The columns, with moments as distances and whole numbers in groups of three digits."""
    return [_drawn(model, one) if isinstance(one, str) and _way_of(model, one) else one for one in columns]


def _way_of(model: type[models.Model], name: str) -> Callable[[Any], Any] | None:
    """How a value of this column is shown; None: as Django shows it."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    if isinstance(field, models.DateTimeField):
        return dates.ago
    counts = isinstance(field, models.IntegerField) and not (field.primary_key or field.choices)
    return figures.number if counts else None


@cache  # Django compares columns: the same one whenever it asks
def _drawn(model: type[models.Model], name: str) -> Callable[[Any], Any]:
    way = _way_of(model, name)
    assert way is not None  # noqa: S101 - asked by `drawn`

    def shown(row: Any) -> Any:
        value = getattr(row, name)
        return value if value is None else way(value)

    shown.__name__ = name
    shown.short_description = model._meta.get_field(name).verbose_name  # type: ignore[attr-defined,union-attr]
    shown.admin_order_field = name  # type: ignore[attr-defined]
    return shown

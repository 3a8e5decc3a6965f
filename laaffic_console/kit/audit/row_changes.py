"""What has happened to a row that was changed without a form, told as a form's changes are: before and after."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import models

from laaffic_console.kit.audit import acts
from laaffic_console.kit.words import said

Before = Mapping[str, Any]


def kept(row: models.Model, beside: Sequence[str] = (), only: Collection[str] | None = None) -> Before:
    """The values before anything is done to the row: its own fields (`only` these) and relations to many (`beside`)."""
    return {
        **{field.name: getattr(row, field.name) for field in _told(row) if only is None or field.name in only},
        **{name: ", ".join(sorted(map(str, getattr(row, name).all()))) for name in beside},
    }


def record(row: models.Model, before: Before, beside: Sequence[str] = ()) -> bool:
    """Whether it says anything else now, which is recorded."""
    found = changes(row, before, beside)
    if found:
        acts.record(acts.Act.CHANGED, row, changes=found)
    return bool(found)


def changes(row: models.Model, before: Before, beside: Sequence[str] = ()) -> list[list[str]]:
    """[field, before, after] of each that says something else now, of those that were kept."""
    after = kept(row, beside, only=before.keys())
    told = [*_told(row), *(row._meta.get_field(name) for name in beside)]
    return [
        [str(said.lasting(field.verbose_name)), _in_words(before[field.name]), _in_words(after[field.name])]
        for field in told
        if field.name in before and before[field.name] != after[field.name]
    ]


def _told(row: models.Model) -> list[Any]:
    return [field for field in row._meta.concrete_fields if field.editable and not field.primary_key]


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        value = "\n".join(f"{name}: {part}" for name, part in sorted(value.items()))
    return "–" if value in (None, "") else str(value)[:300]

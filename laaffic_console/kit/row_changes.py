"""What has happened to a row that was changed without a form, told as a form's changes are: before and after."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from laaffic_console.kit import acts, said

Before = Mapping[str, Any]


def kept(row: models.Model, beside: Sequence[str] = ()) -> Before:
    """What it says, before anything is done to it; `beside`: its relations to many that are told too."""
    return {
        **{field.name: getattr(row, field.name) for field in _told(row)},
        **{name: ", ".join(sorted(map(str, getattr(row, name).all()))) for name in beside},
    }


def record(row: models.Model, before: Before, beside: Sequence[str] = ()) -> bool:
    """Whether it says anything else now, which is recorded."""
    after = kept(row, beside)
    told = [*_told(row), *(row._meta.get_field(name) for name in beside)]
    changed = [field for field in told if before[field.name] != after[field.name]]
    changes = [
        [str(said.lasting(field.verbose_name)), _in_words(before[field.name]), _in_words(after[field.name])]
        for field in changed
    ]
    if changes:
        acts.record(acts.Act.CHANGED, row, changes=changes)
    return bool(changes)


def _told(row: models.Model) -> list[Any]:
    return [field for field in row._meta.concrete_fields if field.editable and not field.primary_key]


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        value = "\n".join(f"{name}: {part}" for name, part in sorted(value.items()))
    return "–" if value in (None, "") else str(value)[:300]

"""What a form asks."""

from typing import Any, TypeVar

from django import forms

Kind = TypeVar("Kind", bound=forms.Field)


def field_of(form: forms.BaseForm, name: str, kind: type[Kind]) -> Kind:
    """A field with what its kind has and others have not: choices, a queryset, formats."""
    found = form.fields[name]
    if not isinstance(found, kind):
        raise TypeError(f"{name} is a {type(found).__name__}, no {kind.__name__}")
    return found


def choices_of(asked: forms.ChoiceField) -> list[tuple[Any, Any]]:
    offered: Any = asked.choices  # the stubs say what it may be set to, which is more than what it gives
    return list(offered)

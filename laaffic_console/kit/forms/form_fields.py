"""The fields of a form: their choices, and what they say while empty."""

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


def call_empty(form: forms.BaseForm, **words: Any) -> None:
    """{field: what it says while nothing is chosen}, in place of Django's dashes, which say nothing."""
    for name, word in words.items():
        asked = form.fields[name]
        if isinstance(asked, forms.ModelChoiceField):
            asked.empty_label = word
        else:
            asked = field_of(form, name, forms.ChoiceField)
            asked.choices = [("", word), *[choice for choice in choices_of(asked) if choice[0] != ""]]


def needed_by_service(form: forms.BaseForm, name: str) -> None:
    """Let the service say in words of its own that this field is empty: it is marked as required all the same."""
    field = form.fields[name]
    field.required = False
    field.widget.attrs["aria-required"] = "true"

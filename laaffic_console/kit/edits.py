"""What a form has changed, in words: each field before and after. Secrets are named and never said."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest

from laaffic_console.kit.shared_rows import in_words

Change = tuple[str, str, str]  # field, before, after

SECRET = ("password", "secret", "token", "api_key")
_HIDDEN = "•••"
_KEPT = "_edits"
_MANY = (models.QuerySet, list, tuple, set)


def keep(request: HttpRequest, form: Any, formsets: Any) -> None:
    """Until it is logged, which says whether the row was added or changed."""
    setattr(request, _KEPT, [*of(form), *_of_all(formsets or ())])


def taken(request: HttpRequest) -> list[Change]:
    kept: list[Change] = request.__dict__.pop(_KEPT, [])
    return kept


def of(form: Any, before_name: str = "") -> Iterator[Change]:
    for name in form.changed_data:
        field = form.fields.get(name)
        if field is None or _is_secret(name, field):  # Django's forms for passwords name one that they do not have
            yield f"{before_name}{(field and field.label) or name}", _HIDDEN, _HIDDEN
            continue
        label = f"{before_name}{field.label or name}"
        before, after = form.get_initial_for_field(field, name), form.cleaned_data.get(name)
        if isinstance(after, _MANY):
            before, after = _difference(before, after)
        yield label, in_words(field, before), in_words(field, after)


def _of_all(formsets: Iterable[Any]) -> Iterator[Change]:
    for formset in formsets:
        name = str(formset.model._meta.verbose_name)
        for form in formset.forms:
            if form.has_changed() and form not in formset.deleted_forms:
                yield from of(form, f"{name} {form.instance.pk}: ")
        for row in formset.deleted_objects:
            yield name, str(row), "–"


def _is_secret(name: str, field: forms.Field) -> bool:
    return isinstance(field.widget, forms.PasswordInput) or any(word in name.lower() for word in SECRET)


def _difference(before: Any, after: Any) -> tuple[list[Any], list[Any]]:
    """What was taken from a list and what was added: the forty permissions that stay say nothing."""
    old, new = (list(rows) if isinstance(rows, _MANY) else [] for rows in (before, after))
    return [row for row in old if row not in new], [row for row in new if row not in old]

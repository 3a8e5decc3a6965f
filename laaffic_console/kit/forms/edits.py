"""What a form has changed, in words: each field before and after. Secrets are named and never said."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.db import models
from django.forms.models import ModelChoiceField
from django.http import HttpRequest
from django.utils.text import capfirst

from laaffic_console.kit.forms.form_fields import choices_of
from laaffic_console.kit.forms.shared_rows import in_words
from laaffic_console.kit.words import said

Change = tuple[str, str, str]  # field, before, after

SECRET = ("password", "secret", "token", "api_key")
_HIDDEN = "•••"
_KEPT = "_edits"
_MANY = (models.QuerySet, list, tuple, set)


def keep(request: HttpRequest, form: Any, formsets: Any) -> None:
    """Keep the edits until they are logged, which says whether the row was added or changed."""
    setattr(request, _KEPT, [*of(form), *_of_all(formsets or ())])


def taken(request: HttpRequest) -> list[Change]:
    kept: list[Change] = request.__dict__.pop(_KEPT, [])
    return kept


def of(form: Any, row: str = "") -> Iterator[Change]:
    for name in form.changed_data:
        field = form.fields.get(name)
        if field is None or _is_secret(name, field):  # Django's forms for passwords name one that they do not have
            yield _named((field and field.label) or name, row), _HIDDEN, _HIDDEN
            continue
        label = _named(_label(form, name) or name, row)
        before, after = form.get_initial_for_field(field, name), form.cleaned_data.get(name)
        if isinstance(after, _MANY):
            before, after = _difference(before, after)
        yield label, _in_words(field, before), _in_words(field, after)


def _label(form: Any, name: str) -> Any:
    """A model's own name for it: Django's forms begin it with a capital, and no language knows those words."""
    model = getattr(getattr(form, "_meta", None), "model", None)
    kept = [*model._meta.fields, *model._meta.many_to_many] if model else []
    own = {field.name: field.verbose_name for field in kept}
    is_own = name in own and str(capfirst(own[name])) == str(form.fields[name].label)
    return own[name] if is_own else form.fields[name].label


def _named(label: Any, row: str) -> str:
    label = said.lasting(label)
    return said.shaped("%(row)s: %(field)s", row=row, field=label) if row else str(label)


def _in_words(field: forms.Field, value: Any) -> str:
    """A choice, a moment, a yes or no in its reader's language; a row by its own name."""
    if isinstance(value, list | tuple | set) and value:
        return said.joined((_in_words(field, part) for part in value), ", ")
    if isinstance(value, bool):
        return said.gettext("Yes") if value else said.gettext("No")
    if isinstance(value, dt.date):  # a moment is one too
        return said.shaped("%(at)s", at=value)
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(field, forms.ChoiceField) and not isinstance(field, ModelChoiceField):
        labels = {str(key): label for key, label in choices_of(field)}
        return str(said.lasting(labels.get(str(value), in_words(field, value))))
    return in_words(field, value)


def _of_all(formsets: Iterable[Any]) -> Iterator[Change]:
    for formset in formsets:
        name = formset.model._meta.verbose_name
        for form in formset.forms:
            if form.has_changed() and form not in formset.deleted_forms:
                yield from of(form, said.shaped("%(name)s %(pk)s", name=name, pk=form.instance.pk))
        for row in formset.deleted_objects:
            yield str(said.lasting(name)), str(row), "–"


def _is_secret(name: str, field: forms.Field) -> bool:
    return isinstance(field.widget, forms.PasswordInput) or any(word in name.lower() for word in SECRET)


def _difference(before: Any, after: Any) -> tuple[list[Any], list[Any]]:
    """What was taken from a list, and what was added: the forty permissions that stay are not worth a word."""
    old, new = (list(rows) if isinstance(rows, _MANY) else [] for rows in (before, after))
    return [row for row in old if row not in new], [row for row in new if row not in old]

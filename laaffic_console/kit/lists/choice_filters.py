"""Filters of lists that offer a few words: any other word is refused. A script exports by the same address, and would
take what it gets for what it asked for: every row, or none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import NotRelationField, get_fields_from_path
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest


class ChoiceFilter(admin.SimpleListFilter):
    """A filter that refuses an unknown word, where the base class would show every row."""

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        word = self.value()
        if word and word not in {str(value) for value, _words in self.lookup_choices}:
            raise IncorrectLookupParameters


def require_choices(model: type[models.Model], asked: Mapping[str, Sequence[str]]) -> None:
    """Refuse words that are not among their column's choices; Django's own filters would find no row."""
    for lookup, words in asked.items():
        known = _choices(model, lookup.removesuffix("__exact"))
        if known and not known.issuperset(words):
            raise IncorrectLookupParameters


def _choices(model: type[models.Model], path: str) -> set[str]:
    try:
        field: Any = get_fields_from_path(model, path)[-1]
    except (FieldDoesNotExist, NotRelationField):
        return set()
    return {str(value) for value, _words in getattr(field, "flatchoices", ())}

"""Filters of lists that offer a few words."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest


class ChoiceFilter(admin.SimpleListFilter):
    """Refuses a word that it does not offer, where the base class would show every row: a script exports by the same
    address, and would take all of them for those it asked for."""

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        word = self.value()
        if word and word not in {str(value) for value, _words in self.lookup_choices}:
            raise IncorrectLookupParameters

"""What a request is about: each app names its kinds of things, and this floor knows none of them."""

from collections.abc import Mapping

from django.db import models

from laaffic_console.kit import pages

_models: dict[str, type[models.Model]] = {}


def register(kinds: Mapping[str, type[models.Model]]) -> None:
    """The ledger's `about_kind` → the model of that thing. Called from an AppConfig."""
    _models.update(kinds)


def thing_of(kind: str, pk: int | None) -> models.Model | None:
    """The row that an entry is about; None where it is gone, or has no row."""
    model = _models.get(kind)
    return None if model is None or pk is None else model._default_manager.filter(pk=pk).first()


def page_of(kind: str, pk: int | None) -> str:
    """The address of its page; "" where it has none."""
    model = _models.get(kind)
    if model is None or pk is None:
        return ""
    return pages.page_of(model, pk)

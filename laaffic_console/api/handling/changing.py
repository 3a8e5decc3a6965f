"""PATCH and DELETE of a single row: under its lock, only if it is as the caller saw it, and recorded."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import models

from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.kit.audit import row_changes
from laaffic_console.kit.audit.acts import Act, record

Row = TypeVar("Row", bound=models.Model)
Shown = Callable[[Any], dict[str, Any]]


def locked(view: ApiView, rows: models.QuerySet[Row], pk: int, shown: Shown) -> Row:
    """The row, locked in the caller's transaction; Problem if it is not as the caller says that they have seen it."""
    alone = rows.select_related(None)  # a joined row may be older than the locked one
    found = row(alone.select_for_update(), pk)
    view.require_as_seen(shown(found))
    return found


def changed(
    view: ApiView,
    rows: models.QuerySet[Row],
    pk: int,
    values: Mapping[str, Any],
    save: Callable[[Row], object],
    shown: Shown,
) -> Answer:
    """The answer with the changed row; one that has these values already is neither saved nor recorded."""

    def work() -> Answer:
        found = locked(view, rows, pk, shown)
        before = row_changes.kept(found)
        for name, value in values.items():
            setattr(found, name, value)
        if row_changes.kept(found) != before:
            save(found)
            row_changes.record(found, before)
        return Answer(200, {"id": pk})

    return view.once(work)


def deleted(
    view: ApiView,
    rows: models.QuerySet[Row],
    pk: int,
    shown: Shown,
    delete: Callable[[Row], object] = lambda found: found.delete(),
) -> Answer:
    """The answer once the row is deleted; Problem if something still uses it."""

    def work() -> Answer:
        found = locked(view, rows, pk, shown)
        record(Act.DELETED, found)
        delete(found)
        return Answer(204, {})

    return view.once(work)

"""What the query of a list asks for, as a filter of its rows."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models

from laaffic_console.api.handling import lookups
from messaging.subscribers import spellings

Row = TypeVar("Row", bound=models.Model)


def narrowed(rows: models.QuerySet[Row], query: Mapping[str, Any], **columns: str) -> models.QuerySet[Row]:
    """Rows with the values that the query gives; `columns` is {name in the query: column}.

    A number is read as people write it, and found however it is spelled; Problem where it is none.
    """
    for name, column in columns.items():
        if name in query:
            if name == "number":
                column, value = f"{column}__in", spellings(lookups.known_number(query[name]))
            else:
                value = query[name]
            rows = rows.filter(**{column: value})
    return rows

"""Rows of a model as they are stored, for lists that need nothing looked up: by rising key, a window at a time."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from laaffic_console.kit.stored_words import in_words

CHUNK = 2000


def rows(shown: QuerySet[Any], columns: Mapping[str, str], *, told: tuple[str, ...] = ()) -> Iterator[list[Any]]:
    """`columns` are {header: where it is stored}; what is under `told` is put into the reader's words."""
    yield list(columns)
    words = [place for place, header in enumerate(columns, start=1) if header in told]
    ordered = shown.order_by("pk").values_list("pk", *columns.values())
    last = 0
    while chunk := [list(values) for values in ordered.filter(pk__gt=last)[:CHUNK]]:
        last = chunk[-1][0]
        for values in chunk:
            for place in words:
                values[place] = in_words(values[place])
            yield [json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value for value in values[1:]]

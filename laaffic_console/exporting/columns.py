"""Rows of a model as they are stored, for lists that need nothing looked up: by rising key, a window at a time."""

import json
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

from django.db.models import QuerySet

from laaffic_console.kit.lists import walks
from laaffic_console.kit.words.stored_words import in_words

CHUNK = 2000


def rows(shown: QuerySet[Any], columns: Mapping[str, str], *, told: tuple[str, ...] = ()) -> Iterator[list[Any]]:
    """The header, then the rows; `columns`: {header: where it is stored}; `told`: headers worded for the reader."""
    yield list(columns)
    words = [place for place, header in enumerate(columns, start=1) if header in told]
    for chunk in walks.rising(shown.values_list("pk", *columns.values()), CHUNK, itemgetter(0)):
        for values in map(list, chunk):
            for place in words:
                values[place] = in_words(values[place])
            yield [json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value for value in values[1:]]

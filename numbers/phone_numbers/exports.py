"""Lists as rows for a file, in chunks."""

import itertools
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from laaffic_console.kit.masking.masks import Typed, in_text
from phone_numbers.models import Binding
from phone_numbers.resources import NumbersResource
from phone_numbers.services.contact_names import names_of

CHUNK = 500
NAMES = ("a_name", "b_name")  # of contacts: somebody may be called by a number


def rows(resource: NumbersResource, shown: QuerySet[Any]) -> Iterator[list[Any]]:
    """The header, then a row for each object, or for each of its values, such as a pool's numbers."""
    columns = resource.get_export_fields()
    yield [Typed(name) if (name := column.column_name) in NAMES else name for column in columns]
    found = shown.iterator(chunk_size=CHUNK)
    while chunk := list(itertools.islice(found, CHUNK)):
        if resource.with_names and isinstance(chunk[0], Binding):
            name_people(chunk)
        for row in chunk:
            yield from resource.lines_of(row, columns)


def name_people(bindings: list[Binding]) -> None:
    """Set the names of A and B, as the viewer may see them, on each binding, with one query for all of them."""
    names = names_of(number for binding in bindings for number in (binding.phone_a, binding.phone_b))
    for binding in bindings:
        binding.a_name = in_text(names.get(binding.phone_a, ""))  # type: ignore[attr-defined]
        binding.b_name = in_text(names.get(binding.phone_b, ""))  # type: ignore[attr-defined]

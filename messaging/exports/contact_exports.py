"""Contacts as rows for a file: a million take no more memory than a thousand, and no query outlives a chunk.

The columns are the resource's. A row is made here from plain values, ten times as fast; a test holds both together.
"""

from collections import defaultdict
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from laaffic_console.kit.files import exports
from laaffic_console.kit.lists import walks
from laaffic_console.kit.masking import masks
from messaging.files.contact_headers import attribute_header
from messaging.models import Contact, GroupMembership
from messaging.services.contacts.contacts import attribute_names

CHUNK = 2000

Row = list[Any]


def rows(contacts: QuerySet[Contact]) -> Iterator[Row]:
    """The header and then a row a contact, by rising id: what changes during it is neither missed nor written twice."""
    from messaging.resources.contacts import ContactResource  # loads import-export: only what exports needs its 10 MB

    attributes = attribute_names(contacts)
    names = [column.column_name for column in ContactResource(attribute_names=attributes).get_export_fields()]
    headers = {attribute_header(name): name for name in attributes}
    yield [masks.Typed(name) if name in headers or name in ("name", "source") else name for name in names]
    stored = ["pk", "attributes", *(name for name in names if name not in {"groups", *headers})]
    for chunk in walks.rising(contacts.prefetch_related(None).values_list(*stored), CHUNK, itemgetter(0)):
        groups = _groups_of([values[0] for values in chunk])
        for values in chunk:
            cells = dict(zip(stored, values, strict=True)) | {"groups": groups.get(values[0], "")}
            own = cells["attributes"]
            yield [str(own.get(headers[name], "")) if name in headers else cells[name] for name in names]


def _groups_of(ids: list[int]) -> dict[int, str]:
    """{contact: names of its groups}; those made for one message are nobody's business."""
    members = GroupMembership.objects.filter(contact__in=ids, group__is_ad_hoc=False).order_by("group__name")
    names: dict[int, list[str]] = defaultdict(list)
    for contact, name in members.values_list("contact", "group__name"):
        names[contact].append(name)
    return {contact: ", ".join(of_one) for contact, of_one in names.items()}


def write_file(contacts: QuerySet[Contact], path: Path) -> int:
    """How many contacts were written; the file's ending says how, ValueError for an unknown format."""
    written = -1  # the header

    def counted() -> Iterator[Row]:
        nonlocal written
        for row in rows(contacts):
            written += 1
            yield row

    exports.kind_of(path)  # before anything is read
    exports.write_file(counted(), path, "Contacts")
    return written

"""Lists as CSV or XLSX: CSV is streamed, and a workbook is written row by row into a file that goes with the answer."""

import csv
import datetime as dt
import itertools
import tempfile
from collections.abc import Iterator
from typing import Any

import openpyxl
from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone

from phone_numbers.models import Binding
from phone_numbers.resources import NumbersResource
from phone_numbers.services.contact_names import names_of

KINDS = ("csv", "xlsx")
CHUNK = 500
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def answer(
    resource: NumbersResource, shown: QuerySet[Any], kind: str, name: str
) -> StreamingHttpResponse | FileResponse:
    file_name = f"{name}-{timezone.now():%Y-%m-%d}.{kind}"
    if kind == "xlsx":
        return FileResponse(workbook(resource, shown), as_attachment=True, filename=file_name, content_type=WORKBOOK)
    streamed = StreamingHttpResponse(csv_lines(resource, shown), content_type="text/csv; charset=utf-8")
    streamed["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return streamed


def rows(resource: NumbersResource, shown: QuerySet[Any]) -> Iterator[list[str]]:
    """The header and then a row each."""
    columns = resource.get_export_fields()
    yield [column.column_name for column in columns]
    found = shown.iterator(chunk_size=CHUNK)
    while chunk := list(itertools.islice(found, CHUNK)):
        if resource.with_names and isinstance(chunk[0], Binding):
            name_people(chunk)
        for row in chunk:
            yield [as_text(resource.export_field(column, row)) for column in columns]


def name_people(bindings: list[Binding]) -> None:
    """Write beside each binding who A and B are: one query for all of them."""
    names = names_of(number for binding in bindings for number in (binding.phone_a, binding.phone_b))
    for binding in bindings:
        binding.a_name = names.get(binding.phone_a, "")  # type: ignore[attr-defined]
        binding.b_name = names.get(binding.phone_b, "")  # type: ignore[attr-defined]


def as_text(cell: object) -> str:
    if cell is None:
        return ""
    return cell.isoformat(sep=" ") if isinstance(cell, dt.datetime) else str(cell)


def csv_lines(resource: NumbersResource, shown: QuerySet[Any]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in rows(resource, shown):
        yield writer.writerow(row)


def workbook(resource: NumbersResource, shown: QuerySet[Any]) -> Any:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows(resource, shown):
        sheet.append(row)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    book.save(file)
    file.seek(0)
    return file


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line

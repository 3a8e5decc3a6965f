"""Contacts as CSV or XLSX, streamed: a million rows take no more memory than a thousand."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from django.db.models import QuerySet

from messaging.models import Contact
from messaging.resources import ContactResource

CHUNK = 2000


def rows(contacts: QuerySet[Contact]) -> Iterator[list[Any]]:
    """The header and then a row a contact, as the resource says."""
    resource = ContactResource()
    columns = resource.get_export_fields()
    yield [column.column_name for column in columns]
    for contact in contacts.order_by("pk").prefetch_related("groups").iterator(chunk_size=CHUNK):
        yield [resource.export_field(column, contact) for column in columns]


def write_csv(contacts: QuerySet[Contact], text: TextIO) -> int:
    writer = csv.writer(text)
    written = -1
    for row in rows(contacts):
        writer.writerow(["" if cell is None else cell for cell in row])
        written += 1
    return written


def write_xlsx(contacts: QuerySet[Contact], path: Path) -> int:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Contacts")
    written = -1
    for row in rows(contacts):
        sheet.append(["" if cell is None else str(cell) for cell in row])
        written += 1
    book.save(path)
    return written


def write_file(contacts: QuerySet[Contact], path: Path) -> int:
    """By the file's ending; ValueError for another one."""
    if path.suffix.lower() == ".xlsx":
        return write_xlsx(contacts, path)
    if path.suffix.lower() == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as text:
            return write_csv(contacts, text)
    raise ValueError(f"{path.name} ends neither in .csv nor in .xlsx.")


def csv_lines(contacts: QuerySet[Contact]) -> Iterator[str]:
    """The lines of a CSV file, for an answer that is streamed."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in rows(contacts):
        yield writer.writerow(["" if cell is None else cell for cell in row])


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line

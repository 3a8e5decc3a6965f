"""Replies as CSV or XLSX, streamed in chunks, with the contacts' names: one query for each chunk's."""

import csv
import io
from collections.abc import Iterator

from django.db.models import QuerySet

from messaging.contact_rows import escape_formula
from messaging.models import Reply
from messaging.services.replies import contacts_of
from messaging.xlsx_stream import workbook

CHUNK = 1000
COLUMNS = ["number", "name", "text", "at", "sent_to", "answers", "opted_out_with", "suppressed_on", "came_by"]
KINDS = ("csv", "xlsx")


def rows(replies: QuerySet[Reply], *, with_names: bool = True) -> Iterator[list[str]]:
    """The header and then a row each, the newest first."""
    yield COLUMNS
    last: int | None = None
    ordered = replies.select_related("campaign").order_by("-pk")
    while chunk := list((ordered if last is None else ordered.filter(pk__lt=last))[:CHUNK]):
        last = chunk[-1].pk
        known = contacts_of(chunk) if with_names else {}
        names = {number: contact.name for number, contact in known.items()}
        for reply in chunk:
            yield [escape_formula(cell) for cell in _cells(reply, names.get(reply.number, ""))]


def _cells(reply: Reply, name: str) -> list[str]:
    return [
        reply.number,
        name,
        reply.content,
        reply.at.isoformat(sep=" ", timespec="seconds"),
        reply.sent_to,
        reply.campaign.name if reply.campaign else "",
        reply.opt_out,
        reply.suppressed_on,
        reply.source,
    ]


def content(replies: QuerySet[Reply], kind: str, *, with_names: bool = True) -> Iterator[bytes]:
    """Names are of contacts: only for who may see those."""
    made = rows(replies, with_names=with_names)
    return workbook(made, "Replies") if kind == "xlsx" else _csv(made)


def _csv(made: Iterator[list[str]]) -> Iterator[bytes]:
    text = io.StringIO("\ufeff", newline="")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text)
    for number, row in enumerate(made, start=1):
        writer.writerow(row)
        if number % CHUNK == 0:
            yield _emptied(text)
    yield _emptied(text)


def _emptied(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece

"""The mails of a campaign as CSV or XLSX, streamed like contacts: no query outlives a chunk."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet

from messaging import xlsx_stream
from messaging.contact_rows import escape_formula
from messaging.exports import CHUNK, CSV, XLSX
from messaging.models import Delivery, EmailMessage, Submission

COLUMNS = ["address", "email id", "task id", "submitted", "as told", "remark", "told at", "delivered", "delivered at"]


def rows(mails: QuerySet[EmailMessage]) -> Iterator[list[str]]:
    """The header and then a row a mail, by rising id: what changes meanwhile is neither missed nor written twice."""
    yield COLUMNS
    last = 0
    while chunk := list(mails.order_by("pk").filter(pk__gt=last)[:CHUNK]):
        for mail in chunk:
            yield [escape_formula(cell) for cell in _cells(mail)]
        last = chunk[-1].pk


def _cells(mail: EmailMessage) -> list[str]:
    return [
        mail.address,
        mail.email_id,
        mail.task_id,
        str(Submission(mail.submission).label),
        mail.raw_state,
        mail.remark,
        mail.told_at.isoformat(timespec="seconds"),
        str(Delivery(mail.delivery).label) if mail.delivery else "",
        mail.delivered_at.isoformat(timespec="seconds") if mail.delivered_at else "",
    ]


def csv_bytes(mails: QuerySet[EmailMessage]) -> Iterator[bytes]:
    text = io.StringIO("\ufeff")
    text.seek(1)
    writer = csv.writer(text)
    for number, row in enumerate(rows(mails)):
        writer.writerow(row)
        if number % CHUNK == 0:
            yield _emptied(text)
    yield _emptied(text)


def _emptied(text: io.StringIO) -> bytes:
    content = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return content


def xlsx_bytes(mails: QuerySet[EmailMessage]) -> Iterator[bytes]:
    return xlsx_stream.workbook(rows(mails), "Emails")


FORMATS: dict[str, tuple[Callable[[QuerySet[Any]], Iterator[bytes]], str]] = {
    "csv": (csv_bytes, CSV),
    "xlsx": (xlsx_bytes, XLSX),
}

"""The mails of a campaign as rows for a file, like contacts: no query outlives a chunk."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from messaging.exports import CHUNK
from messaging.models import Delivery, EmailMessage, Submission

COLUMNS = ["address", "email id", "task id", "submitted", "as told", "remark", "told at", "delivered", "delivered at"]


def rows(mails: QuerySet[EmailMessage]) -> Iterator[list[Any]]:
    """The header and then a row a mail, by rising id: what changes during it is neither missed nor written twice."""
    yield COLUMNS
    last = 0
    while chunk := list(mails.order_by("pk").filter(pk__gt=last)[:CHUNK]):
        for mail in chunk:
            yield _cells(mail)
        last = chunk[-1].pk


def _cells(mail: EmailMessage) -> list[Any]:
    return [
        mail.address,
        mail.email_id,
        mail.task_id,
        str(Submission(mail.submission).label),
        mail.raw_state,
        mail.remark,
        mail.told_at,
        str(Delivery(mail.delivery).label) if mail.delivery else "",
        mail.delivered_at,
    ]

"""The mails of a campaign as rows for a file, like contacts: no query outlives a chunk."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from laaffic_console.kit.lists import walks
from laaffic_console.kit.masking.masks import Typed
from messaging.exports.contact_exports import CHUNK
from messaging.models import Delivery, EmailMessage, Submission

COLUMNS = ["address", "email id", "task id", "submitted", "as told", Typed("remark"), "told at"]
COLUMNS += ["delivered", "delivered at"]


def rows(mails: QuerySet[EmailMessage]) -> Iterator[list[Any]]:
    """The header and then a row a mail, by rising id: what changes during it is neither missed nor written twice."""
    yield COLUMNS
    for chunk in walks.rising(mails.all(), CHUNK, attrgetter("pk")):
        for mail in chunk:
            yield _cells(mail)


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

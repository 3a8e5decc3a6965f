"""Replies as rows for a file, in chunks, with the contacts' names: one query for each chunk's."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from laaffic_console.kit.lists import walks
from laaffic_console.kit.masking.masks import Typed
from messaging.models import Reply
from messaging.services.replies.replies import contacts_of

CHUNK = 1000
COLUMNS = ["number", Typed("name"), "text", "at", "sent_to", "answers", "opted_out_with", "suppressed_on", "came_by"]


def rows(replies: QuerySet[Reply], *, with_names: bool = True) -> Iterator[list[Any]]:
    """The header and then a row each, the newest first. Names are of contacts: only for those who may see these."""
    yield COLUMNS
    for chunk in walks.falling(replies.select_related("campaign"), CHUNK, attrgetter("pk")):
        known = contacts_of(chunk) if with_names else {}
        names = {number: contact.name for number, contact in known.items()}
        for reply in chunk:
            yield _cells(reply, names.get(reply.number, ""))


def _cells(reply: Reply, name: str) -> list[Any]:
    return [
        reply.number,
        name,
        reply.content,
        reply.at,
        reply.sent_to,
        reply.campaign.name if reply.campaign else "",
        reply.opt_out,
        reply.suppressed_on,
        reply.source,
    ]

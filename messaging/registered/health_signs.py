"""What the health page says of messages: what has waited for a worker, and what nobody knows."""

import datetime as dt
from collections.abc import Iterator

from django.db import connection
from django.db.models import DateTimeField, F, Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from laaffic_console.kit.registers import health_signs
from laaffic_console.kit.registers.health_signs import Sign, age
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from messaging import search_indexes
from messaging.models import (
    IS_OPEN_BATCH,
    Batch,
    BatchAnswer,
    BatchState,
    Campaign,
    CampaignState,
    ContactImport,
    EmailCampaign,
)

OLD_UNKNOWN = dt.timedelta(days=1)


def register_all() -> None:
    health_signs.register(oldest_unknown)
    health_signs.register(search_of_names)
    health_signs.due_with(waiting)
    health_signs.count_by_state("batches", Batch)
    health_signs.count_by_state("campaigns", Campaign)
    health_signs.count_by_state("email campaigns", EmailCampaign)
    health_signs.count_by_state("imports", ContactImport)


def waiting(now: dt.datetime) -> Iterator[tuple[str, dt.datetime | None]]:
    """Since when the oldest start of a campaign, and the oldest answer, have waited."""
    starts = Campaign.objects.filter(state=CampaignState.SCHEDULED)
    start = Coalesce("undo_until", "scheduled_at", output_field=DateTimeField())
    yield _("the start of a campaign"), starts.aggregate(at=Min(start))["at"]
    yield _("an answer to be written"), BatchAnswer.objects.aggregate(at=Min("settled_at"))["at"]


def search_of_names() -> Sign:
    """Whether letters anywhere in a name find it: PostgreSQL needs an extension for that, SQLite a version."""
    if search_indexes.has_names():
        return Sign(_("Search of names"), "good", _("finds any part of a name"))
    said = (
        _(
            "finds the beginnings of names alone: let an administrator of PostgreSQL run CREATE EXTENSION pg_trgm in "
            "this database, then run manage.py migrate"
        )
        if connection.vendor == "postgresql"
        else _("finds the beginnings of names alone: use SQLite 3.34 or newer with FTS5, then run manage.py migrate")
    )
    return Sign(_("Search of names"), "warn", said)


def oldest_unknown() -> Sign:
    """The sign for messages whose answer was lost: since when the oldest of them is unknown."""
    waiting = Batch.objects.filter(IS_OPEN_BATCH.implied, state=BatchState.UNKNOWN)
    # Not by its id: what waits for an approval or its hours leaves later than what was made after it.
    waiting = waiting.annotate(left_at=Coalesce("entry__left_at", "claimed_at"))
    oldest = waiting.order_by(F("left_at").asc(nulls_first=True), "id").first()
    if oldest is None:
        return Sign(_("Oldest unknown"), "good", _("no message is unknown"))
    left_at = oldest.left_at
    said = ngettext(
        "%(n)d message of campaign %(id)d, since %(age)s",
        "%(n)d messages of campaign %(id)d, since %(age)s",
        oldest.unknown,
    ) % {
        "n": oldest.unknown,
        "id": oldest.campaign_id,
        "age": age(left_at),
    }
    is_old = left_at is None or timezone.now() - left_at > OLD_UNKNOWN
    return Sign(_("Oldest unknown"), "bad" if is_old else "warn", said)

"""The batches that freezing makes: a row first, for its id, and what it says when its messages are written."""

from typing import Any

from django.db.models import QuerySet

from laaffic_console.kit.sql.constant_sql import Given, Insert, Update, kept
from messaging.models import Batch, Campaign
from messaging.services.gates import canary
from messaging.services.text import merged_texts


def begin(campaign: Campaign) -> Batch:
    batch = Batch(campaign=campaign, first_message_id=0, last_message_id=0, size=0)
    _make([batch])
    return batch


def keep(campaign: Campaign, batch: Batch, count: int, first: int, last: int) -> None:
    """Store the batch with its messages: `count` of them, at least one, between these ids."""
    batch.first_message_id, batch.last_message_id, batch.size, batch.queued = first, last, count, count
    if campaign.canary:  # nobody leaves before the few are chosen, and these are taken out then
        batch.not_before, batch.waits_for = canary.waits_until(), canary.WHY
    _keep(batch=batch.pk, **{name: getattr(batch, name) for name in KEPT})
    merged_texts.reject_unfit(campaign, batch)


KEPT = ("first_message_id", "last_message_id", "size", "queued", "not_before", "waits_for")

_make = Insert(Batch, keys=True)


@Update
def _keep() -> tuple[QuerySet[Batch], dict[str, Any]]:
    return Batch.objects.filter(pk=Given("batch")), kept(Batch, *KEPT)

"""A text can grow beyond what the gateway takes when its fields are filled in. Such a message is rejected when the
audience is frozen, with the reason on it: its batch's request would be refused whole, for everybody in it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast, Length
from django.utils import timezone

from messaging import merge_fields
from messaging.merge_fields import Field, Template
from messaging.models import Batch, BatchState, Campaign, Contact, Message, MessageState
from messaging.services.batches import bulk_writes, sent_tallies, settling
from messaging.services.batches.batch_texts import as_values
from messaging.services.channels import channels
from messaging.services.text.merge_values import COLUMNS_OF_CONTACT, values_of


@dataclass(frozen=True, slots=True)
class Bound:
    """Who cannot be too long needs no look: everything that is known of a contact is shorter than `least_values`."""

    template: Template
    longest: int
    least_values: int  # characters that all values together need before a text can be too long


def bound(campaign: Campaign) -> Bound | None:
    """None where no text of the campaign can be too long by its fields."""
    template = merge_fields.parse(campaign.text)
    fields = [part for part in template.parts if isinstance(part, Field)]
    if not fields:
        return None
    said_anyway = sum(len(part) for part in template.parts if isinstance(part, str))
    said_anyway += sum(len(field.fallback) for field in fields)
    longest = channels.of(campaign).longest_text
    uses = max(Counter(field.name for field in fields).values())
    uses += "first_name" in template.fields  # taken from the name, which may be a field itself
    return Bound(template, longest, max(0, (longest - said_anyway) // uses))


def reject_too_long(campaign: Campaign, batch: Batch) -> int:
    """Reject those of a new batch whose text is too long, in the transaction that froze it; how many they were."""
    limit = bound(campaign)
    if limit is None:
        return 0
    suspects = (
        batch.messages()
        .filter(state=MessageState.QUEUED)
        .annotate(room=Length(Cast("merge_values", TextField())))
        .filter(room__gt=limit.least_values)
    )
    too_long: list[tuple[int, str]] = []
    for pk, country, values in suspects.values_list("pk", "country", "merge_values").iterator():
        text = merge_fields.render(limit.template, merge_fields.with_derived(as_values(values)))
        if len(text) > limit.longest:
            too_long.append((pk, country))
    if too_long:
        with sent_tallies.following(batch):
            _reject(campaign, batch, limit.longest, too_long)
    return len(too_long)


def _reject(campaign: Campaign, batch: Batch, longest: int, too_long: list[tuple[int, str]]) -> None:
    now = timezone.now()
    reason = f"longer than {longest:,} characters with its fields filled in"
    Message.objects.filter(pk__in=[pk for pk, _country in too_long]).update(
        state=MessageState.REJECTED, reason=reason, evidence="when the audience was frozen", settled_at=now
    )
    Batch.objects.filter(pk=batch.pk).update(
        queued=F("queued") - len(too_long),
        rejected=F("rejected") + len(too_long),
        state=BatchState.QUEUED if batch.queued > len(too_long) else BatchState.SETTLED,
    )
    bulk_writes.count_outcomes(
        campaign.pk,
        {
            (country, MessageState.REJECTED, reason, ""): (n, 0, 0)
            for country, n in Counter(country for _pk, country in too_long).items()
        },
    )
    settling.count_activity(campaign.pk, {MessageState.REJECTED: len(too_long)}, now)


def count_too_long(campaign: Campaign, reached: QuerySet[Contact]) -> int:
    """How many contacts would be rejected, before a launch."""
    limit = bound(campaign)
    return 0 if limit is None else sum(1 for _ in _too_long(limit, reached))


def _too_long(limit: Bound, reached: QuerySet[Contact]) -> Iterator[Contact]:
    known: Any = Length(Cast("attributes", TextField()))
    for name in sorted(COLUMNS_OF_CONTACT):
        known = known + Length(name)
    for contact in reached.annotate(room=known).filter(room__gt=limit.least_values).order_by("pk").iterator(500):
        values = merge_fields.with_derived(values_of(contact))
        if len(merge_fields.render(limit.template, values)) > limit.longest:
            yield contact

"""Segments of what a report or a person's word has settled in the place of a lost answer: nothing counted them.

In one transaction for each batch that may have such messages, so that who sends meanwhile waits for one of them only.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.db import migrations, transaction
from django.db.models import F, Q

from messaging.text import merge_fields, segments

QUEUED, ACCEPTED, EXPIRED, UNDELIVERED, DELIVERED = 0, 40, 50, 60, 70
SENT = (ACCEPTED, EXPIRED, UNDELIVERED, DELIVERED)


def count_again(apps: Any, _schema_editor: Any) -> None:
    for batch_id in sorted(set(suspects(apps))):
        with transaction.atomic():
            count_batch(apps, batch_id)


def suspects(apps: Any) -> Iterator[int]:
    """Those whose answer was lost or is awaited, and those that say less than a segment for each message."""
    batches, entries = apps.get_model("messaging", "Batch"), apps.get_model("gateway", "LedgerEntry")
    sent = F("accepted") + F("expired") + F("undelivered") + F("delivered")
    found = batches.objects.filter(Q(state__in=["claimed", "unknown"]) | Q(segments__lt=sent))
    yield from found.values_list("pk", flat=True).iterator()
    lost = entries.objects.filter(state="unknown", about_kind="campaign")
    for summary in lost.values_list("summary", flat=True).iterator():
        if isinstance(batch_id := summary.get("batch"), int):
            yield batch_id


def count_batch(apps: Any, batch_id: int) -> None:
    batches, messages = apps.get_model("messaging", "Batch"), apps.get_model("messaging", "Message")
    batch = batches.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        return
    campaign = apps.get_model("messaging", "Campaign").objects.get(pk=batch.campaign_id)
    # What an answer that waits to be written says of queued ones is in the batch's sum already.
    is_answered = apps.get_model("messaging", "BatchAnswer").objects.filter(batch=batch_id).exists()
    within = {"pk__range": (batch.first_message_id, batch.last_message_id), "batch": batch_id}
    counted = messages.objects.filter(**within, state__in=(*SENT, QUEUED) if is_answered else SENT)
    total = 0
    for message in counted.only("pk", "segments", "merge_values").iterator():
        own = own_segments(campaign, message)
        total += own
        if own != message.segments:
            messages.objects.filter(pk=message.pk).update(segments=own)
    batches.objects.filter(pk=batch_id).update(segments=total)


def own_segments(campaign: Any, message: Any) -> int:
    values = message.merge_values
    if values is None or campaign.channel != "sms":
        return int(message.segments)
    values = json.loads(values) if isinstance(values, str) else values
    said = {key: "" if value is None else str(value) for key, value in values.items()}
    text = merge_fields.render(merge_fields.parse(campaign.text), merge_fields.with_derived(said))
    # Never fewer: the values of a person who was erased are empty, and what they had got was more.
    return max(segments.count(text).segments, int(message.segments))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("messaging", "0070_suppressed_for_each_reason"),
        ("gateway", "0018_whole_lists_by_moment"),
    ]
    operations = [migrations.RunPython(count_again, migrations.RunPython.noop)]

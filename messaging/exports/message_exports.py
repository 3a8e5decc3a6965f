"""The list of messages as rows for a file: messages of many campaigns, the newest first, with the list's filters.

What a filter leaves of millions is found by stretches of the primary key, never by a sort of all that it finds: each
stretch is a short query, however many there are.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from laaffic_console.kit.masking.masks import Typed
from laaffic_console.kit.words.stored_words import in_words, reason_in_words
from messaging.exports.recipient_exports import amount
from messaging.models import Contact, Message
from messaging.services.batches import answers
from messaging.services.figures import timeline
from messaging.wire.order_ids import order_id

FEW = 10_000  # so many are remembered by their ids; more are looked for along the key
CHUNK = 1000
STRETCH = 5000
COLUMNS = ["number", Typed("name"), "state", Typed("reason"), "segments", "billed_segments", "cost", "currency"]
COLUMNS += ["accepted_at", "reported_at", "campaign_id", "campaign", "country", "attempt", "answered_at"]
COLUMNS += [Typed("evidence"), "report_came_by", "gateway_id", "order_id"]

Row = list[Any]


def rows(shown: QuerySet[Message], *, with_names: bool = True) -> Iterator[Row]:
    yield COLUMNS
    for messages in _stretches(shown.select_related("campaign", "batch").order_by("-pk")):
        told = answers.overlay({message.batch_id for message in messages})
        people = {message.contact_id for message in messages if message.contact_id} if with_names else set()
        names = dict(Contact.objects.filter(pk__in=people).values_list("pk", "name")) if people else {}
        for message in messages:
            yield _cells(message, told.get(message.pk), names.get(message.contact_id or 0, ""))


def _stretches(ordered: QuerySet[Message]) -> Iterator[list[Message]]:
    ids = sorted(ordered.order_by().values_list("pk", flat=True)[: FEW + 1], reverse=True)
    if len(ids) <= FEW:
        for start in range(0, len(ids), CHUNK):
            yield list(ordered.filter(pk__in=ids[start : start + CHUNK]))
        return
    end = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    while end > 0:
        if found := list(ordered.filter(pk__gt=end - STRETCH, pk__lte=end)):
            yield found
        end -= STRETCH
        if not found:  # a restore leaves out very many ids (backups)
            end = Message.objects.filter(pk__lte=end).order_by("-pk").values_list("pk", flat=True).first() or 0


def _cells(message: Message, told: answers.Accepted | None, name: str) -> Row:
    state = answers.standing(message)
    gateway_id, segments, settled_at = message.gateway_id, message.segments, message.settled_at
    if told is not None and message.state == Message.State.QUEUED:
        gateway_id, segments, settled_at = told
    was_accepted = state >= Message.State.ACCEPTED
    return [
        message.number,
        name,
        state.key,
        reason_in_words(message.reason),
        segments if was_accepted else timeline.segments_of(message),
        message.billed_segments,
        amount(message.pay_micros),
        message.currency,
        settled_at if was_accepted else None,
        message.reported_at,
        message.campaign_id,
        message.campaign.name,
        message.country,
        message.attempt,
        settled_at,
        in_words(message.evidence),
        message.report_source,
        gateway_id,
        order_id(settings.LAAFFIC_ORDER_PREFIX, message.pk, message.attempt),
    ]

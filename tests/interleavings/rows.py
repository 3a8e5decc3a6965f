"""Rows for one play each."""

import itertools
import time
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.laaffic import DeliveryReport, DeliveryState, SendResult, Source
from messaging.models import Batch, BatchState, Campaign, Contact, ContactGroup, GroupMembership, Message, MessageState
from messaging.services.approvals import shown
from messaging.services.approvals.shown import Shown
from messaging.services.audience import audience, audience_counts
from messaging.services.batches import claiming
from messaging.services.campaigns import drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import proving
from messaging.services.forecast import forecast
from messaging.services.reports import reports
from messaging.wire.order_ids import order_ids

_numbers = itertools.count(919_000_000_000 + int(time.time() * 1000) % 900_000_000)


def number() -> str:
    return str(next(_numbers))


def name() -> str:
    return f"play {uuid.uuid4().hex[:12]}"


def application(channel: str = "sms") -> Application:
    return Application.objects.create(app_id=uuid.uuid4().hex[:16], channel=channel, sender_id="SHOP")


def people(count: int, group: ContactGroup | None = None, **fields: Any) -> list[Contact]:
    made = Contact.objects.bulk_create(Contact(number=number(), country="IN", **fields) for _ in range(count))
    if group is not None:
        GroupMembership.objects.bulk_create(GroupMembership(contact=contact, group=group) for contact in made)
    return made


def group_of(count: int) -> ContactGroup:
    group = ContactGroup.objects.create(name=name())
    people(count, group)
    return group


def draft(count: int = 2, **given: Any) -> Campaign:
    fields = {"name": name(), "application": None, "sender_id": "", "text": name(), "groups": None, **given}
    fields["application"] = fields["application"] or application()
    fields["groups"] = fields["groups"] or [group_of(count)]
    return drafts.create(**fields)


def as_shown(campaign: Campaign) -> Shown:
    """What a page shows of it now."""
    audience_counts.complete(campaign)
    return shown.of(campaign, forecast.of(campaign))


def running(count: int = 2, **given: Any) -> Campaign:
    """Launched and frozen."""
    campaign = draft(count, **given)
    starting.launch(campaign.pk)
    freeze(campaign.pk)
    return Campaign.objects.get(pk=campaign.pk)


def freeze(campaign_id: int) -> None:
    while audience.freeze_chunk(campaign_id):
        pass


def claimed(campaign: Campaign) -> Claim:
    claim = claiming.claim(campaign, "token")
    assert isinstance(claim, Claim)
    return claim


def answer(*ids: str | None) -> SendResult:
    return SendResult(list(ids), [], None, None)


def report(message_id: int, to: str, state: DeliveryState = DeliveryState.DELIVERED) -> DeliveryReport:
    return DeliveryReport(
        source=Source.PUSH,
        msg_id="",
        number=to,
        order_id=order_ids(settings.LAAFFIC_ORDER_PREFIX, [message_id], [1])[0],
        state=state,
        raw_status="0",
        reason="",
        at=timezone.now(),
    )


def push(*told: DeliveryReport) -> list[bool]:
    with transaction.atomic():
        return reports.apply(told)


def numbers_of(campaign: Campaign) -> set[str]:
    return set(Message.objects.filter(campaign=campaign).values_list("number", flat=True))


def messages(campaign: Campaign) -> list[Message]:
    return list(Message.objects.filter(campaign=campaign).order_by("pk"))


def agrees(campaign: Campaign) -> None:
    fresh = Campaign.objects.select_related("application").get(pk=campaign.pk)
    assert proving.prove(fresh)["disagreements"] == []


def states(campaign: Campaign) -> list[str]:
    return [MessageState(message.state).name for message in messages(campaign)]


def stuck(campaign: Campaign) -> bool:
    return Batch.objects.filter(campaign=campaign, state=BatchState.CLAIMED).exists()

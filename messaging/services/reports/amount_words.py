"""A person's word on an amount that a push named and that cannot be right: it is taken, or left out, with a reason."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from messaging.models import Batch, Message, MessageEvent
from messaging.services.reports import doubtful_amounts, reports, standing_amounts

SOURCE = standing_amounts.PERSON
LONGEST_REASON = 150
_told = re.compile(r"told as (?P<amount>[-+.0-9E]+)(?: (?P<currency>[^;]*))?; .*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Doubt:
    event_id: int
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}".strip()

    @property
    def may_be_taken(self) -> bool:
        """No message costs less than nothing."""
        return self.amount >= 0


def open_for(message: Message) -> list[Doubt]:
    """The amounts that nobody has spoken about; none where the cost is known."""
    if message.pay_micros is not None:
        return []
    told = message.events.filter(source=doubtful_amounts.SOURCE).order_by("pk")
    words = list(message.events.filter(source=SOURCE).values_list("text", flat=True))
    doubts = [doubt for event in told if (doubt := _read(event)) is not None]
    return [doubt for doubt in doubts if not any(f" leaves out {doubt}: " in word for word in words)]


def decide(message_id: int, event_id: int, *, take: bool, why: str, by: User) -> None:
    """ValidationError where a reason is missing, or nothing is left to decide."""
    why = " ".join(why.split())
    if not why:
        raise ValidationError(_("Say how you know it: it is kept with the message."))
    with transaction.atomic():
        batch_id = Message.objects.values_list("batch_id", flat=True).get(pk=message_id)
        list(Batch.objects.select_for_update().filter(pk=batch_id).values_list("pk"))  # before messages, everywhere
        message = Message.objects.get(pk=message_id)
        doubt = next((one for one in open_for(message) if one.event_id == event_id), None)
        if doubt is None:
            raise NotNow(_("What this message cost is known, or was decided, by now. Look at it again."))
        if take and not doubt.may_be_taken:
            raise ValidationError(_("No message costs less than nothing: this amount can only be left out."))
        if take and not reports.take_amount(message_id, doubt.amount, doubt.currency):
            raise NotNow(_("What this message cost is known, or was decided, by now. Look at it again."))
        said = f"{_begins(doubt, take=take, by=by)}{why[:LONGEST_REASON]}"
        MessageEvent.objects.create(message_id=message_id, at=timezone.now(), source=SOURCE, text=said[:300])
        record(Act.SETTLED, message, event=said)


def was_said(message: Message, event_id: int, *, take: bool, by: User) -> bool:
    """Whether this person has said the same already: a repeated call only lost the answer."""
    event = message.events.filter(pk=event_id, source=doubtful_amounts.SOURCE).first()
    if event is None or (doubt := _read(event)) is None:
        return False
    return message.events.filter(source=SOURCE, text__startswith=_begins(doubt, take=take, by=by)).exists()


def _begins(doubt: Doubt, *, take: bool, by: User) -> str:
    return f"{by.get_username()} {'takes' if take else 'leaves out'} {doubt}: "


def _read(event: MessageEvent) -> Doubt | None:
    found = _told.fullmatch(event.text)
    return Doubt(event.pk, Decimal(found["amount"]), (found["currency"] or "").strip()) if found else None

"""Everything that is known of one message, in order, each with where it came from."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from laaffic_console.kit.figures import money
from laaffic_console.kit.stored_words import in_words
from messaging import merge_fields
from messaging.models import Message, MessageState
from messaging.services.batches import claiming, counting
from messaging.services.channels import channels


@dataclass(frozen=True, slots=True)
class Entry:
    at: dt.datetime | None
    says: str
    source: str
    call_id: int | None = None


def of(message: Message) -> list[Entry]:
    entries = [Entry(message.campaign.launched_at, _("Queued with its campaign's audience"), _("launch"))]
    if call := message.batch.call:
        entries.append(Entry(call.prepared_at, _("Claimed by a worker"), call.worker, call.pk))
        if call.left_at:
            entries.append(Entry(call.left_at, _("The request left for the gateway"), call.interface, call.pk))
        if call.settled_at:
            answered = {"state": call.get_state_display(), "reason": in_words(call.reason)}
            said = _("Answered: %(state)s %(reason)s") % answered
            entries.append(Entry(call.settled_at, said, call.evidence, call.pk))
    if message.report_source:
        state = MessageState(message.state).label
        entries.append(Entry(message.reported_at, f"{state} {in_words(message.reason)}".strip(), message.report_source))
    elif message.evidence:
        entries.append(Entry(message.settled_at, str(MessageState(message.state).label), message.evidence))
    entries += [Entry(event.at, in_words(event.text), event.source) for event in message.events.all()]
    return sorted(entries, key=lambda entry: entry.at.timestamp() if entry.at else 0.0)


def text_of(message: Message) -> str:
    """The text as it was or will be sent to this recipient."""
    if message.merge_values is None:
        return message.campaign.text
    template = merge_fields.parse(message.campaign.text)
    return merge_fields.render(template, merge_fields.with_derived(claiming.as_values(message.merge_values)))


def segments_of(message: Message) -> int:
    """Of its own text, fields filled in: also before an answer has counted them."""
    if message.merge_values is None:
        return message.segments
    return channels.of(message.campaign).segments(text_of(message))


def cost_of(message: Message) -> str:
    return "" if message.pay_micros is None else money(message.pay_micros / counting.MICROS, message.currency)

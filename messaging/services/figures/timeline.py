"""Everything that is known of one message, in order, each with where it came from."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from laaffic_console.gateway.models import EntryState
from laaffic_console.kit.words.figures import money, number
from laaffic_console.kit.words.stored_words import in_words, reason_in_words
from messaging.models import Message, MessageState
from messaging.services.batches import batch_texts
from messaging.services.batches.own_segments import OwnSegments
from messaging.services.tallies import counting
from messaging.services.text.merge_values import for_eyes
from messaging.text import merge_fields

EVENTS_SHOWN = 200  # of one message, whose reports may come again and again


@dataclass(frozen=True, slots=True)
class Entry:
    at: dt.datetime | None
    says: str
    source: str
    entry_id: int | None = None


def of(message: Message) -> list[Entry]:
    entries = [Entry(message.campaign.launched_at, _("Queued with its campaign's audience"), _("launch"))]
    if entry := message.batch.entry:
        entries.append(Entry(entry.prepared_at, _("Claimed by a worker"), entry.worker, entry.pk))
        if since := entry.may_have_left_since:
            said = _("The request may have left after the backup was made, which was restored since")
            entries.append(Entry(since, said, entry.interface, entry.pk))
        elif entry.left_at:
            entries.append(Entry(entry.left_at, _("The request left for the gateway"), entry.interface, entry.pk))
        if entry.settled_at:
            reason = "" if entry.state == EntryState.ACCEPTED else entry.reason  # "success" says it once more
            said = _("Answered: %(state)s") % {"state": _with_reason(entry.get_state_display(), reason)}
            entries.append(Entry(entry.settled_at, said, entry.evidence, entry.pk))
    if message.report_source:
        said = _with_reason(str(MessageState(message.state).label), message.reason)
        entries.append(Entry(message.reported_at, said, message.report_source))
    elif message.evidence:
        entries.append(Entry(message.settled_at, str(MessageState(message.state).label), message.evidence))
    events = list(message.events.order_by("-id")[: EVENTS_SHOWN + 1])
    entries += [Entry(event.at, in_words(event.text), event.source) for event in events[:EVENTS_SHOWN]]
    if len(events) > EVENTS_SHOWN:
        said = _("More happened before: the %(n)s newest of its reports and decisions are shown") % {
            "n": number(EVENTS_SHOWN)
        }
        entries.append(Entry(events[-1].at, said, events[-1].source))
    return sorted(entries, key=lambda entry: entry.at.timestamp() if entry.at else 0.0)


def text_of(message: Message) -> str:
    """The text as it was or will be sent to this recipient, as the viewer may see it."""
    if message.merge_values is None:
        return message.campaign.text
    values = for_eyes(batch_texts.as_values(message.merge_values))
    return merge_fields.render(merge_fields.parse(message.campaign.text), merge_fields.with_derived(values))


def segments_of(message: Message) -> int:
    """The segments of the message's own text, fields filled in, also before an answer has counted them.

    What the gateway took was counted as it left; its values may have been erased since.
    """
    if message.state in counting.SENT:
        return int(message.segments)
    return OwnSegments(message.campaign).of(message.merge_values, message.segments)


def cost_of(message: Message) -> str:
    return "" if message.pay_micros is None else money(message.pay_micros / counting.MICROS, message.currency)


def _with_reason(state: str, reason: str) -> str:
    return _("%(state)s (%(reason)s)") % {"state": state, "reason": reason_in_words(reason)} if reason else state

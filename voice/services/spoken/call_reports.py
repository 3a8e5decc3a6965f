"""A call's record as the delivery report of the TTS message that it carried: `calledInfo` is the message's order id.

Where Laaffic leaves it out, the call is found by its own id, which the answer to the request told.
"""

from django.conf import settings
from django.utils.translation import gettext as _

from laaffic_console.laaffic import CallKind, CallOutcome, CallRecord, DeliveryReport, DeliveryState, Source
from messaging.wire.order_ids import message_id_of

# A text spoken to a mailbox was spoken; the record says that it was a mailbox.
HEARD = frozenset({CallOutcome.ANSWERED, CallOutcome.VOICEMAIL})


def as_delivery_report(record: CallRecord, source: Source, kind: CallKind | None = None) -> DeliveryReport | None:
    """The report; None for a call that no message of ours asked for. `kind`: where the record does not name its own."""
    if record.called_info:
        if message_id_of(settings.LAAFFIC_ORDER_PREFIX, record.called_info) is None:
            return None
    elif not record.voice_id or (record.kind or kind) not in (CallKind.TTS, None):
        return None
    heard = record.outcome in HEARD
    return DeliveryReport(
        source=source,
        msg_id=record.voice_id,
        number=record.callee,
        order_id=record.called_info,
        state=DeliveryState.DELIVERED if heard else DeliveryState.FAILED,
        raw_status=record.termination_code,
        reason="" if heard else in_words(record.outcome),
        at=record.hung_up_at or record.called_at or record.submitted_at,
        pay=record.cost,
        currency=record.currency,
    )


def in_words(outcome: CallOutcome) -> str:
    """The outcome as an operator reads it."""
    return {
        CallOutcome.ANSWERED: _("answered"),
        CallOutcome.VOICEMAIL: _("went to voicemail"),
        CallOutcome.BUSY: _("busy"),
        CallOutcome.NO_ANSWER: _("not answered"),
        CallOutcome.DECLINED: _("declined"),
        CallOutcome.NO_SUCH_NUMBER: _("no such number"),
        CallOutcome.FAILED: _("the call failed"),
    }[outcome]

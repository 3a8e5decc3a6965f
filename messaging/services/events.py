"""What happens here, told to anyone who listens outside (laaffic_console/events); nothing is made up where nobody does.

Called under the lock of what changes, so that the events of one message are written in the order in which it moved.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings

from laaffic_console.events.kinds import Kind
from laaffic_console.events.services import outbox
from laaffic_console.events.services.outbox import Happening
from laaffic_console.gateway.models import Channel
from laaffic_console.kit.words.people import username
from messaging.models import (
    Approval,
    Budget,
    Campaign,
    CampaignState,
    ConsentState,
    ContactImport,
    Delivery,
    EmailCampaign,
    EmailMessage,
    Message,
    MessageState,
    Reply,
    Submission,
    SuppressionEntry,
)
from messaging.wire.order_ids import order_id

KIND_OF = {
    MessageState.DELIVERED: Kind.MESSAGE_DELIVERED,
    MessageState.UNDELIVERED: Kind.MESSAGE_FAILED,
    MessageState.REJECTED: Kind.MESSAGE_FAILED,
    MessageState.EXPIRED: Kind.MESSAGE_EXPIRED,
}
OF_MESSAGES = [*dict.fromkeys(KIND_OF.values()), Kind.MESSAGE_UNKNOWN_SETTLED]


def messages_moved(before: Mapping[int, int]) -> None:
    """{message: its state before}, once their rows say what they are now."""
    if before:
        outbox.record_many(OF_MESSAGES, lambda: _moved(before))


def reasons_told(ids: Sequence[int]) -> None:
    """Send the failure event again for messages whose first one had no reason, now with the reason."""
    if ids:
        outbox.record_many(
            [Kind.MESSAGE_FAILED], lambda: (_end_of_message(message) for message in _messages(sorted(ids)))
        )


def _moved(before: Mapping[int, int]) -> Iterator[Happening]:
    for message in _messages(sorted(before)):
        yield from _of_message(message, MessageState(before[message.pk]))


def _messages(ids: Sequence[int]) -> Iterator[Message]:
    for start in range(0, len(ids), 500):
        yield from Message.objects.filter(pk__in=ids[start : start + 500]).select_related("campaign").order_by("pk")


def _of_message(message: Message, was: MessageState) -> Iterator[Happening]:
    state = MessageState(message.state)
    if state == was:
        return
    if was == MessageState.UNKNOWN:
        settled = {**_message(message, state), "settled_to": state.key, "evidence": message.evidence}
        yield Happening(Kind.MESSAGE_UNKNOWN_SETTLED, f"message:{message.pk}", settled)
    if state in KIND_OF:
        yield _end_of_message(message)


def _end_of_message(message: Message) -> Happening:
    state = MessageState(message.state)
    return Happening(KIND_OF[state], f"message:{message.pk}", _message(message, state), message.reported_at)


def _message(message: Message, state: MessageState) -> dict[str, Any]:
    return {
        "message_id": message.pk,
        "campaign_id": message.campaign_id,
        "channel": message.campaign.channel,
        "number": message.number,
        "country": message.country,
        "state": state.key,
        "reason": message.reason,
        "order_id": order_id(settings.LAAFFIC_ORDER_PREFIX, message.pk, message.attempt),
        "gateway_id": message.gateway_id,
        "attempt": message.attempt,
        "segments": message.billed_segments,
        "price": None if message.pay_micros is None else f"{message.pay_micros / 1_000_000:.6f}",
        "currency": message.currency,
        "reported_at": message.reported_at,
    }


MailStanding = tuple[int, int, str]  # submission, delivery, why it has failed


def mails_moved(mails: Sequence[EmailMessage], before: Sequence[MailStanding]) -> None:
    """Mails of one campaign, with the state of each before; a new one had none.

    A failure is told again when its reason becomes known later.
    """
    moved = [
        (mail, kind)
        for mail, was in zip(mails, before, strict=True)
        if (kind := _end_of(mail)) and (kind != _end(*was[:2]) or _has_a_reason_now(mail, was))
    ]
    if moved:
        outbox.record_many(list(dict.fromkeys(KIND_OF.values())), lambda: (_mail(mail, kind) for mail, kind in moved))


def _has_a_reason_now(mail: EmailMessage, was: MailStanding) -> bool:
    return mail.submission == was[0] == Submission.FAILED and bool(mail.remark) and not was[2]


def _end_of(mail: EmailMessage) -> Kind | None:
    return _end(mail.submission, mail.delivery)


def _end(submission: int, delivery: int) -> Kind | None:
    ends = {
        Delivery.DELIVERED: Kind.MESSAGE_DELIVERED,
        Delivery.UNDELIVERED: Kind.MESSAGE_FAILED,
        Delivery.EXPIRED: Kind.MESSAGE_EXPIRED,
    }
    return ends.get(Delivery(delivery)) or (Kind.MESSAGE_FAILED if submission == Submission.FAILED else None)


def _mail(mail: EmailMessage, kind: Kind) -> Happening:
    failed = "rejected" if mail.submission == Submission.FAILED else "undelivered"
    said = {
        "message_id": mail.pk,
        "campaign_id": mail.campaign_id,
        "channel": Channel.EMAIL.value,
        "address": mail.address,
        "state": failed if kind == Kind.MESSAGE_FAILED else kind.value.partition(".")[2],
        "reason": mail.remark if kind == Kind.MESSAGE_FAILED else "",
        "gateway_id": mail.email_id,
        "reported_at": mail.delivered_at,
    }
    return Happening(kind, f"email:{mail.pk}", said, mail.delivered_at)


def campaign_moved(campaign: Campaign | EmailCampaign, was: str, *, by: str = "") -> None:
    """Send the event of a change of state; `by`: the name of the person who did it."""
    kind = "campaign" if isinstance(campaign, Campaign) else "email_campaign"
    said = {
        "kind": kind,
        "id": campaign.pk,
        "name": campaign.name,
        "channel": campaign.channel if isinstance(campaign, Campaign) else Channel.EMAIL.value,
        "was": was,
        "state": campaign.state,
        "step": step(was, campaign.state),
        "reason": campaign.hold_reason,
        "hold_kind": campaign.hold_kind,
        "by": by,
    }
    outbox.record(Kind.CAMPAIGN_STATE, f"{kind}:{campaign.pk}", said)


def step(was: str, state: str) -> str:
    """The name of the step from one state to another: `launched`, `resumed` …, else the new state."""
    if was == CampaignState.DRAFT:
        return "launched"
    if state == CampaignState.DRAFT:
        return "taken_back"
    if was in (CampaignState.PAUSED, CampaignState.HELD) and state in (CampaignState.RUNNING, CampaignState.SCHEDULED):
        return "resumed"
    return "started" if was == CampaignState.SCHEDULED and state == CampaignState.RUNNING else str(state)


def replied(replies: Sequence[Reply]) -> None:
    if replies:
        outbox.record_many([Kind.REPLY_RECEIVED], lambda: (_reply(reply) for reply in replies))


def _reply(reply: Reply) -> Happening:
    said = {
        "number": reply.number,
        "country": reply.country,
        "text": reply.content,
        "sent_to": reply.sent_to,
        "campaign_id": reply.campaign_id,
        "opt_out": bool(reply.opt_out),
        "at": reply.at,
    }
    return Happening(Kind.REPLY_RECEIVED, f"number:{reply.number}", said, reply.at)


def suppressed(entries: Collection[SuppressionEntry]) -> None:
    _of_entries(Kind.CONTACT_OPTED_OUT, "suppressed", entries)


def released(entries: Collection[SuppressionEntry]) -> None:
    _of_entries(Kind.CONTACT_OPTED_IN, "allowed_again", entries)


def _of_entries(kind: Kind, what: str, entries: Collection[SuppressionEntry]) -> None:
    def happened() -> Iterable[Happening]:
        for entry in entries:
            said = {"what": what, "number": entry.number, "channel": entry.channel, "reason": entry.reason}
            yield Happening(kind, f"number:{entry.number}", said)

    if entries:
        outbox.record_many([kind], happened)


def consented(said: Collection[Any]) -> None:
    """Consent that was given or withdrawn, as `consents.Said` has it."""
    kinds = {
        ConsentState.GIVEN.value: (Kind.CONTACT_OPTED_IN, "consent_given"),
        ConsentState.WITHDRAWN.value: (Kind.CONTACT_OPTED_OUT, "consent_withdrawn"),
    }

    def happened() -> Iterable[Happening]:
        for one in said:
            if one.state in kinds:
                kind, what = kinds[one.state]
                data = {"what": what, "number": one.number, "channel": one.channel, "reason": one.source}
                yield Happening(kind, f"number:{one.number}", data, one.at)

    if said:
        outbox.record_many([Kind.CONTACT_OPTED_IN, Kind.CONTACT_OPTED_OUT], happened)


def import_ended(job: ContactImport) -> None:
    counts = {
        name: getattr(job, name) for name in ("rows", "added", "updated", "unchanged", "invalid", "erased_before")
    }
    said = {"id": job.pk, "file": job.file_name, "state": job.state, **counts, "explanation": job.explanation}
    outbox.record(Kind.IMPORT_FINISHED, f"import:{job.pk}", said)


def approval(kind: Kind, approval: Approval, *, by: str) -> None:
    """`by`: the person who asked, decided, or has edited what was approved."""
    draft = approval.draft
    people = {
        "asked_by": username(approval.asked_by),
        "decided_by": username(approval.decided_by),
    }
    said = {
        "id": approval.pk,
        "kind": draft._meta.model_name,
        "draft_kind": approval.draft_kind,
        "draft_id": draft.pk,
        "name": draft.name,
        "recipients": approval.recipients,
        "cost": approval.cost,
        **people,
        "note": approval.note or approval.asked_note,
        "by": by,
    }
    outbox.record(kind, f"approval:{draft._meta.model_name}:{draft.pk}", said)


def campaign_drifted(
    campaign: Campaign, country: str, what: str, expected: str, actual: str, counted: Any, sentence: str
) -> None:
    """Once for each country, of segments and of price."""
    said = {
        "id": campaign.pk,
        "name": campaign.name,
        "country": country,
        "what": what,
        "expected": expected,
        "actual": actual,
        "messages": counted.charged,
        "currency": counted.currency,
        "reason": sentence,
    }
    outbox.record(Kind.CAMPAIGN_DRIFT, f"campaign:{campaign.pk}", said)


def budget_warned(budget: Budget, used: object, percent: int, sentence: str) -> None:
    _of_budget(Kind.BUDGET_WARNED, budget, {"used": f"{used}", "percent": percent, "reason": sentence})


def budget_used_up(budget: Budget, sentence: str) -> None:
    _of_budget(Kind.BUDGET_USED_UP, budget, {"reason": sentence})


def _of_budget(kind: Kind, budget: Budget, said: Mapping[str, Any]) -> None:
    of = {"id": budget.pk, "app_id": budget.application.app_id, "per": budget.per, "limit": f"{budget.limit}"}
    outbox.record(kind, f"budget:{budget.pk}", {**of, "currency": budget.currency, **said})

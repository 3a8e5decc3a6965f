"""A person: every spelling of a number, the contact it belongs to, and the end of what is known of them."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from messaging.models import (
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    Contact,
    Conversation,
    ConversationAnswer,
    Erasure,
    Message,
    MessageState,
    Reply,
)
from messaging.people.person_timeline import Person
from messaging.services.contacts import consents, contact_writes, erasures, pastes
from messaging.subscribers import spellings, subscriber

OPEN = (BatchState.QUEUED, BatchState.CLAIMED, BatchState.UNKNOWN)
OVER = (CampaignState.FINISHED, CampaignState.CANCELLED)
NAMED = 3  # campaigns in a sentence


_elsewhere: list[Callable[[str], None]] = []


def taken_out_too(take_out: Callable[[str], None]) -> None:
    """Register, in ready(), what takes an erased number out of whatever has not left, in the same transaction.

    `take_out` raises ValidationError where something that it cannot stop may still reach that person.
    """
    _elsewhere.append(take_out)


@dataclass(frozen=True, slots=True)
class Known:
    person: Person
    contacts: list[Contact]  # one, or more where two spellings were imported; the number that was asked for first


def of(number: str) -> Known:
    """The person who has this number (digits with country code), whether or not they are a contact."""
    numbers = spellings(number)
    found = sorted(Contact.objects.filter(number__in=numbers), key=lambda one: numbers.index(one.number))
    emails = tuple(dict.fromkeys(contact.email.lower() for contact in found if contact.email))
    return Known(Person(numbers, emails, tuple(contact.pk for contact in found)), found)


@transaction.atomic
def erase(number: str, *, why: str, by: User | None) -> Erasure:
    """Delete the contact, empty merge values and the texts of replies and of what was written to this person alone.

    Numbers stay where they prove what was sent.

    ValidationError without a reason, and while a message to this person waits or its answer is unknown: it would be
    sent with empty fields. So too while a group call may still reach them.
    """
    if is_blank(why):
        raise ValidationError({"why": _("Say why, for example “asked for it by letter of 3 May”.")})
    contact_writes.one_at_a_time()  # an import that has them in hand is awaited
    numbers = spellings(number)
    sent = Message.objects.filter(number__in=numbers).order_by()
    # Code that changes messages holds their batches, by rising id.
    ids = sorted(set(sent.values_list("batch_id", flat=True)))
    list(Batch.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    _take_out_of_campaigns(subscriber(number))
    for take_out in _elsewhere:
        take_out(number)
    contact_writes.freeze_none()
    _refuse_while_waiting(sent)  # those too that were frozen, or went into another batch, while this waited
    emptied = 0
    for message in sent.exclude(merge_values=None):
        empty = dict.fromkeys(message.merge_values or {}, "")
        emptied += Message.objects.filter(pk=message.pk).update(merge_values=empty)
    consents.erase(number)  # before the conversation, as taking a reply does: see docs/mechanisms/locks.md
    replies = Reply.objects.filter(number__in=numbers).exclude(content="").update(content="")
    _erase_conversation(subscriber(number))
    _empty_own_texts(sent)
    pastes.erase(number)
    deleted = contact_writes.delete(list(Contact.objects.filter(number__in=numbers).values_list("pk", flat=True)))
    erasure = Erasure.objects.create(
        number=number,
        why=why.strip()[:200],
        contacts=deleted,
        messages=emptied,
        replies=replies,
        is_done=True,
        erased_by=by,
    )
    record(Act.DELETED, erasure, label=number, why=erasure.why, contacts=deleted)
    return erasure


def _erase_conversation(key: str) -> None:
    """Delete the conversation and its notes, and empty the texts of its answers, campaigns to this person alone."""
    list(Conversation.objects.select_for_update().filter(subscriber=key).values_list("pk"))  # an answer is awaited
    answers = ConversationAnswer.objects.filter(conversation__subscriber=key)
    _refuse(list(answers.exclude(campaign__state__in=OVER).values_list("campaign__name", flat=True)))
    Campaign.objects.filter(pk__in=list(answers.values_list("campaign_id", flat=True))).update(text="")
    Conversation.objects.filter(subscriber=key).delete()


def _empty_own_texts(sent: "QuerySet[Message]") -> None:
    """Empty the texts of campaigns that are over and had no other recipient: messages and tests to one person.

    How many segments each message had is on its row: figures and proofs need no text.
    """
    counted = sent.values("campaign_id").annotate(n=Count("pk")).values_list("campaign_id", "n")
    messages = dict(counted)
    over = Campaign.objects.filter(pk__among=list(messages), state__in=OVER, audience=Campaign.Audience.FROZEN)
    for pk, total, options in over.order_by("pk").values_list("pk", "total", "channel_options"):
        if total == messages[pk]:
            untitled = options | {"title": ""} if "title" in options else options
            Campaign.objects.filter(pk=pk).update(text="", channel_options=untitled)


def _take_out_of_campaigns(key: str) -> None:
    """Numbers that were given one by one, to be sent to by what is not frozen to its end: they come last."""
    unfrozen = Campaign.objects.exclude(audience=Campaign.Audience.FROZEN).exclude(extra_numbers=[])
    for pk, given in unfrozen.order_by("pk").values_list("pk", "extra_numbers"):
        if len(erasures.without(given, {key})) < len(given):
            _take_out_of(pk, key)


def _take_out_of(pk: int, key: str) -> None:
    """A freeze that has it is awaited; those it has made messages of by then are proof, and are looked at as such."""
    waiting = Campaign.objects.exclude(audience=Campaign.Audience.FROZEN)
    campaign = waiting.select_for_update(no_key=True).filter(pk=pk).first()
    if campaign is not None:
        Campaign.objects.filter(pk=pk).update(extra_numbers=erasures.without(campaign.extra_numbers, {key}))


def _refuse_while_waiting(sent: "QuerySet[Message]") -> None:
    waiting = sent.filter(state__in=(MessageState.QUEUED, MessageState.UNKNOWN), batch__state__in=OPEN)
    _refuse(sorted(set(waiting.values_list("campaign__name", flat=True))))


def _refuse(waiting: list[str]) -> None:
    if waiting:
        said = _("A message to this person waits, or its answer is unknown: %(names)s. Cancel or settle it first.")
        raise NotNow(said % {"names": ", ".join(f"“{name}”" for name in waiting[:NAMED])})

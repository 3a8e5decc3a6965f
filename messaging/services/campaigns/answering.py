"""Answering somebody: a quick message to one number, with the checks, approvals and limits of any other campaign."""

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.audit import acts
from laaffic_console.kit.words import said
from laaffic_console.kit.words.not_now import NotNow
from messaging.models import Campaign, Conversation, ConversationAnswer, Message
from messaging.services.approvals import approvals
from messaging.services.campaigns import drafts, starting
from messaging.services.contacts import suppression
from messaging.services.refusals import NotApproved
from messaging.services.replies import conversations
from messaging.subscribers import spellings


@dataclass(frozen=True, slots=True)
class Way:
    """Through which application an answer leaves, and as whom."""

    application: Application
    sender_id: str


def usual_way(conversation: Conversation) -> Way | None:
    """The application and sender id of the last answer or message; with neither, the only possible one, else None."""
    last = ConversationAnswer.objects.filter(conversation=conversation).select_related("campaign__application")
    answer = last.order_by("-at", "-pk").first()
    if answer and answer.campaign.application.is_active:
        return Way(answer.campaign.application, answer.campaign.sender_id)
    sent = Message.objects.filter(number__in=spellings(conversation.number), campaign__channel=Channel.SMS)
    sent = sent.filter(campaign__application__is_active=True).select_related("campaign__application")
    if conversation.sent_to and (
        meant := sent.filter(campaign__sender_id=conversation.sent_to).order_by("-pk").first()
    ):
        return Way(meant.campaign.application, meant.campaign.sender_id)
    if newest := sent.order_by("-pk").first():
        return Way(newest.campaign.application, newest.campaign.sender_id)
    applications = list(Application.objects.filter(channel=Channel.SMS, is_active=True).order_by("pk")[:20])
    named = [one for one in applications if conversation.sent_to and one.sender_id == conversation.sent_to]
    if len(named or applications) == 1:
        application = (named or applications)[0]
        return Way(application, application.sender_id)
    return None


def suppressed(conversation: Conversation) -> str:
    """Why nothing can be sent to this number, in a sentence; "" where it can."""
    if not suppression.suppressed_among([conversation.number], channels=[Channel.SMS, Channel.ALL]):
        return ""
    return _("This number is suppressed for SMS: no answer is sent. Allow it again on the suppression list first.")


def answer(
    conversation: Conversation,
    *,
    way: Way,
    text: str,
    again: str = "",
    shown: tuple[int, dt.datetime] | None = None,
    by: User,
) -> tuple[Campaign, str]:
    """The campaign, and why it waits for a second person's approval, or "".

    `shown`: what was unread and when the last reply came, as the answering person saw it, which is read by then. None:
    they do not say, and nothing becomes read.

    ValidationError at the field that is wrong, also for a suppressed number; StillOpen where the same text may be on
    its way to them and `again` gives no reason.
    """
    if why := suppressed(conversation):
        raise NotNow({"text": why})
    with transaction.atomic():
        # Of two answers at the same moment the second finds the first, and is asked whether it is to go out again.
        conversations.hold_for_answer(conversation.pk)
        draft = drafts.create(
            name=_("Answer %(when)s") % {"when": timezone.localtime().strftime("%Y-%m-%d %H:%M:%S")},
            application=way.application,
            sender_id=way.sender_id,
            text=text,
            numbers=[conversation.number],
            kind=Campaign.Kind.QUICK,
            by=by,
        )
        ConversationAnswer.objects.create(conversation=conversation, campaign=draft, by=by)
        waits = _launch_or_ask(draft, again, by)
    acts.record(acts.Act.STEPPED, conversation, event=said.gettext("Answered from the console"), campaign=draft.name)
    if shown is not None:
        unread, last_at = shown
        conversations.seen(conversation.pk, unread=unread, last_at=last_at)
    return draft, waits


def _launch_or_ask(draft: Campaign, again: str, by: User) -> str:
    """Why it waits for a second person's approval, which is asked for, or ""."""
    try:
        starting.launch(draft.pk, by=by, again=again)
    except NotApproved as problem:
        approvals.ask(draft.pk, by=by)
        return str(problem)
    return ""

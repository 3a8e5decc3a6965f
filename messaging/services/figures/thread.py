"""A conversation as it is read: what was sent before, what was answered, and what we noted, one page behind another."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.pages import own_page, page_of
from laaffic_console.kit.words.stored_words import reason_in_words
from messaging.models import Campaign, CampaignState, ConversationAnswer, ConversationNote, Message, MessageState, Reply
from messaging.models.messages import NEVER_LEFT
from messaging.people.person_timeline import Behind, Entry, Person, Source, rows_behind
from messaging.services.batches import answers
from messaging.services.figures import timeline
from messaging.subscribers import subscriber

SEE = "messaging.view_conversation"
PAGE = 30
TONES = {
    MessageState.DELIVERED: "good",
    MessageState.ACCEPTED: "moving",
    MessageState.UNKNOWN: "warn",
    MessageState.REJECTED: "bad",
    MessageState.EXPIRED: "bad",
    MessageState.UNDELIVERED: "bad",
}
NOT_SENDING = (CampaignState.HELD, CampaignState.PAUSED)  # what is queued waits for a person


def sent(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    """Messages with their text as it left, and what happened to them."""
    at = Coalesce("batch__entry__left_at", "settled_at", "campaign__launched_at", "campaign__created_at")
    rows = Message.objects.filter(number__in=person.numbers).select_related("campaign", "batch", "campaign__answer__by")
    return [
        Entry(
            row.at_moment,
            row.pk,
            _title(row),
            timeline.text_of(row),
            _message_page(row),
            _tone(row),
            is_unsent=row.state in NEVER_LEFT and row.attempt == 1,
        )
        for row in rows_behind(rows, at, behind, limit)
    ]


def _title(message: Message) -> str:
    answer = getattr(message.campaign, "answer", None)
    who = str(answer.by or _("somebody")) if answer else message.campaign.name
    if message.state == MessageState.QUEUED and message.campaign.state in NOT_SENDING:
        return " · ".join(filter(None, [who, message.campaign.get_state_display(), _why(message.campaign)]))
    state = str(answers.standing(message).label)
    return " · ".join(filter(None, [who, state, in_text(reason_in_words(message.reason))]))


def _tone(message: Message) -> str:
    return TONES.get(answers.standing(message), "")


def _message_page(message: Message) -> str:
    return own_page(message)


def said(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = Reply.objects.filter(number__in=person.numbers)
    return [
        Entry(
            row.at_moment,
            row.pk,
            _("Opted out with “%(word)s”") % {"word": row.opt_out} if row.opt_out else "",
            row.content,
            own_page(row),
            "warn" if row.opt_out else "",
        )
        for row in rows_behind(rows, "at", behind, limit)
    ]


def noted(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = ConversationNote.objects.filter(conversation__subscriber=subscriber(person.numbers[0])).select_related("by")
    return [
        Entry(row.at_moment, row.pk, _("Note by %(name)s") % {"name": row.by or _("somebody")}, in_text(row.text))
        for row in rows_behind(rows, "at", behind, limit)
    ]


def not_yet_sent(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    """Answers that have no message yet: they wait for an approval, for a worker, or for the end of a hold."""
    has_message = Message.objects.filter(campaign=OuterRef("campaign"))
    rows = ConversationAnswer.objects.filter(conversation__subscriber=subscriber(person.numbers[0]))
    rows = rows.filter(~Exists(has_message)).select_related("campaign", "by")
    return [
        Entry(
            row.at_moment,
            row.pk,
            " · ".join(
                filter(None, [str(row.by or _("somebody")), row.campaign.get_state_display(), _why(row.campaign)])
            ),
            row.campaign.text,
            page_of(Campaign, row.campaign_id),
            "moving",
        )
        for row in rows_behind(rows, "at", behind, limit)
    ]


def _why(campaign: Campaign) -> str:
    if campaign.state == CampaignState.FINISHED:  # and it has no message
        if campaign.dropped_capped:
            return _("not sent: this person has had enough messages")
        return _("not sent: the number is suppressed") if campaign.dropped_suppressed else _("not sent")
    return in_text(campaign.hold_reason or campaign.wait_reason)


SOURCES = [
    Source("answers", gettext_lazy("Answer"), "schedule_send", SEE, not_yet_sent),
    Source("messages", gettext_lazy("Message"), "sms", "messaging.view_message", sent),
    Source("notes", gettext_lazy("Note"), "sticky_note_2", SEE, noted),
    Source("replies", gettext_lazy("Reply"), "reply", "messaging.view_reply", said),
]
NOTES = SOURCES[2]  # on the person's page too

"""What requests and answers about conversations look like."""

from typing import Any

from rest_framework import serializers

from laaffic_console.api.shapes import why_again
from laaffic_console.api.timelines import LongCursorQuery
from messaging.models import CampaignState
from messaging.models import Conversation as Row
from messaging.services.replies import conversation_lists, conversations


class ConversationQuery(LongCursorQuery):
    show = serializers.ChoiceField(
        choices=conversation_lists.VIEWS, required=False, default=conversation_lists.USUAL, help_text="“mine”: yours"
    )
    search = serializers.CharField(
        max_length=conversation_lists.LONGEST,
        required=False,
        help_text="the beginning of a number, or a contact's name",
    )


class ConversationListed(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=Row.State.choices)
    unread = serializers.IntegerField(help_text="replies since somebody who may answer looked")
    assigned_to = serializers.CharField(allow_null=True, help_text="name of a user")
    sent_to = serializers.CharField(allow_blank=True, help_text="the sender ID that was answered last")
    last_at = serializers.DateTimeField()
    last_said = serializers.CharField(allow_blank=True)


class Conversation(ConversationListed):
    application = serializers.CharField(allow_null=True, help_text="for an answer that does not name one")
    sender_id = serializers.CharField(allow_blank=True)
    stopped = serializers.CharField(allow_blank=True, help_text="why nothing can be sent to this number")


class ConversationAnswerRequest(serializers.Serializer):
    text = serializers.CharField(trim_whitespace=False)
    application = serializers.CharField(
        max_length=40, required=False, help_text="appId of an SMS application; otherwise that of the conversation"
    )
    sender_id = serializers.CharField(max_length=32, required=False, allow_blank=True)
    again = why_again()
    unread = serializers.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        help_text="as GET had it, together with “last_at”: what it showed becomes read; without both nothing does",
    )
    last_at = serializers.DateTimeField(required=False, help_text="as GET had it")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        for name, other in (("unread", "last_at"), ("last_at", "unread")):
            if name in data and other not in data:
                raise serializers.ValidationError({other: f"It belongs to “{name}”. Give both, or leave both out."})
        if "sender_id" in data and "application" not in data:
            said = "It belongs to “application”. Give that too, or leave this out."
            raise serializers.ValidationError({"sender_id": said})
        return data


class ConversationAnswered(serializers.Serializer):
    campaign = serializers.IntegerField(help_text="the quick message that the answer is")
    state = serializers.ChoiceField(choices=CampaignState.choices)
    waits = serializers.CharField(allow_blank=True, help_text="why nothing has left yet: a second person is asked")
    note = serializers.CharField(required=False)


class ConversationNoteRequest(serializers.Serializer):
    note = serializers.CharField(max_length=conversations.LONGEST_NOTE, help_text="for us alone: it is never sent")


class ConversationNote(serializers.Serializer):
    id = serializers.IntegerField()
    note = serializers.CharField()
    by = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()


class ConversationAssignRequest(serializers.Serializer):
    to = serializers.CharField(max_length=150, allow_null=True, help_text="name of a user; null: nobody")


class ConversationSeenRequest(serializers.Serializer):
    """What GET showed: anything that came after that counts as unseen."""

    unread = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="as GET had it")
    last_at = serializers.DateTimeField(help_text="as GET had it")


class SavedAnswerRequest(serializers.Serializer):
    title = serializers.CharField(max_length=60)
    text = serializers.CharField(trim_whitespace=False)


class SavedAnswerChange(serializers.Serializer):
    title = serializers.CharField(max_length=60, required=False)
    text = serializers.CharField(trim_whitespace=False, required=False)


class SavedAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField()

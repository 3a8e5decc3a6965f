"""What is done to a conversation: answered, noted, assigned, ended and reopened, by the services of its page."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.conversations import documents, shapes
from laaffic_console.api.conversations.views import found
from laaffic_console.api.handling import lookups, problems
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView
from laaffic_console.api.models import Scope
from messaging.models import Conversation, ConversationNote
from messaging.services.campaigns import answering
from messaging.services.campaigns.answering import Way
from messaging.services.figures import thread
from messaging.services.replies import conversations

ACT = [thread.SEE, conversations.ANSWER]


class AnswerView(ApiView):
    scopes = {"POST": Scope.SEND}
    rights = {"POST": ACT}

    @extend_schema(
        parameters=[KEY], request=shapes.ConversationAnswerRequest, responses={202: shapes.ConversationAnswered}
    )
    def post(self, request: Any, pk: int) -> Response:
        """Answer with a quick message, which has the limits of any other; with an Idempotency-Key it leaves once."""
        asked = self.read(shapes.ConversationAnswerRequest)
        conversation = found(pk)
        # In one transaction with its key, so that a request that dies has launched no message and kept no answer.
        answer = self.once(lambda: _answer(conversation, asked, request.user))
        return Response({**answer.body, **self.unkeyed_note()}, answer.status)


def _answer(conversation: Conversation, asked: dict[str, Any], by: User) -> Answer:
    shown = (asked["unread"], asked["last_at"]) if "unread" in asked else None
    sent, waits = answering.answer(
        conversation, way=_way(conversation, asked), text=asked["text"], again=asked["again"], shown=shown, by=by
    )
    sent.refresh_from_db(fields=["state"])
    return Answer(202, {"campaign": sent.pk, "state": sent.state, "waits": waits})


def _way(conversation: Conversation, asked: dict[str, Any]) -> Way:
    if "application" in asked:
        return Way(lookups.application(asked["application"]), asked.get("sender_id", ""))
    if (usual := answering.usual_way(conversation)) is None:
        said = _("Several applications could be meant. Say by which one it leaves: “application”.")
        raise problems.at("application", said)
    return usual


class NoteView(ApiView):
    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": ACT}

    @extend_schema(parameters=[KEY], request=shapes.ConversationNoteRequest, responses={201: shapes.ConversationNote})
    def post(self, request: Any, pk: int) -> Response:
        """Add a note for your colleagues; it is never sent. The same note within a minute is kept once."""
        asked = self.read(shapes.ConversationNoteRequest)
        found(pk)

        def work() -> Answer:
            with problems.about("note"):
                return Answer(201, {"id": conversations.note(pk, asked["note"], by=request.user).pk})

        answer = self.once(work)
        noted = ConversationNote.objects.select_related("by").get(pk=answer.body["id"])
        return Response(documents.note(noted), answer.status)


class ActView(ApiView):
    """One step on a conversation; if it was taken already, nothing happens. The answer is the conversation."""

    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": ACT}

    def act(self, pk: int, step: Callable[[], object]) -> Response:
        found(pk)

        def work() -> Answer:
            step()
            return Answer(200, {"id": pk})

        answer = self.once(work)
        return Response(documents.conversation(found(answer.body["id"])), answer.status)


class AssignView(ActView):
    rights = {"POST": [thread.SEE, "messaging.assign_conversation"]}

    @extend_schema(parameters=[KEY], request=shapes.ConversationAssignRequest, responses=shapes.Conversation)
    def post(self, request: Any, pk: int) -> Response:
        """Assign the conversation to somebody who may answer, or to nobody."""
        to = _person(self.read(shapes.ConversationAssignRequest)["to"])
        return self.act(pk, lambda: conversations.assign(pk, to=to, by=request.user))


def _person(name: str | None) -> User | None:
    if name is None:
        return None
    person: User | None = conversations.who_may_answer().filter(username=name).first()
    if person is None:
        said = _("“%(name)s” may not answer conversations. Choose somebody who may.")
        raise problems.at("to", said % {"name": name})
    return person


class TakeView(ActView):
    @extend_schema(parameters=[KEY], request=None, responses=shapes.Conversation)
    def post(self, request: Any, pk: int) -> Response:
        """Assign the conversation to yourself, unless somebody else has it."""
        return self.act(pk, lambda: conversations.take(pk, by=request.user))


class DoneView(ActView):
    @extend_schema(parameters=[KEY], request=shapes.ConversationSeenRequest, responses=shapes.Conversation)
    def post(self, request: Any, pk: int) -> Response:
        """End the conversation until somebody writes again, unless more has come than you have seen."""
        asked = self.read(shapes.ConversationSeenRequest)
        shown = (asked["unread"], asked["last_at"])
        return self.act(pk, lambda: conversations.finish(pk, by=request.user, shown=shown))


class ReopenView(ActView):
    @extend_schema(parameters=[KEY], request=None, responses=shapes.Conversation)
    def post(self, request: Any, pk: int) -> Response:
        """Reopen a conversation that was ended."""
        return self.act(pk, lambda: conversations.reopen(pk, by=request.user))


class UnreadView(ActView):
    @extend_schema(parameters=[KEY], request=None, responses=shapes.Conversation)
    def post(self, request: Any, pk: int) -> Response:
        """Mark the conversation as unread, so that somebody looks at it again."""
        return self.act(pk, lambda: conversations.mark_unread(pk))


class SeenView(ActView):
    @extend_schema(parameters=[KEY], request=shapes.ConversationSeenRequest, responses=shapes.Conversation)
    def post(self, request: Any, pk: int) -> Response:
        """Mark the conversation as read up to what you saw; what has come since stays unread."""
        asked = self.read(shapes.ConversationSeenRequest)
        return self.act(pk, lambda: conversations.seen(pk, **asked))

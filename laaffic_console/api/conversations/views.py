"""Conversations: who has written, and what was said on both sides."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import timelines
from laaffic_console.api.conversations import documents, shapes
from laaffic_console.api.handling.views import USUAL_ROWS, ApiView, not_a_cursor, row, unwrapped, wrapped
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.api.timelines import LongCursorQuery, TimelineEntry
from messaging.models import Conversation
from messaging.services.contacts import people
from messaging.services.figures import thread
from messaging.services.replies import conversation_lists


class ConversationsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [thread.SEE]}

    @extend_schema(
        operation_id="conversations_list",
        parameters=[shapes.ConversationQuery],
        responses=page_of(shapes.ConversationListed),
    )
    def get(self, request: Any) -> Response:
        """The one that moved last first; “search” looks in open and done ones alike."""
        query = self.read(shapes.ConversationQuery, request.query_params.dict())
        cursor = unwrapped(query["cursor"]) if "cursor" in query else ""
        if "cursor" in query and conversation_lists.place_of(cursor) is None:
            raise not_a_cursor()
        sees_contacts = request.user.has_perm("messaging.view_contact")
        found = conversation_lists.of(request.user, query["show"], query.get("search", ""), by_contact=sees_contacts)
        shown, following = conversation_lists.page(found, cursor, query.get("limit") or USUAL_ROWS)
        listed = [documents.listed(one) for one in shown]
        return Response({"items": listed, "next": wrapped(following) if following else None})


class ConversationView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [thread.SEE]}
    has_etag = True

    @extend_schema(responses=shapes.Conversation)
    def get(self, request: Any, pk: int) -> Response:
        """The state of a conversation, and the application by which an answer would leave."""
        return Response(documents.conversation(found(pk)))


def found(pk: int) -> Conversation:
    return row(Conversation.objects.select_related("assigned_to"), pk)


class ThreadView(ApiView):
    """Each kind of entry is shown only as far as the token's user may see it."""

    scopes = {"GET": Scope.READ}
    rights = {"GET": [thread.SEE]}

    @extend_schema(
        operation_id="conversations_messages_list", parameters=[LongCursorQuery], responses=page_of(TimelineEntry)
    )
    def get(self, request: Any, pk: int) -> Response:
        """What was sent, answered and noted, the newest first; reading it marks nothing as read."""
        query = self.read(LongCursorQuery, request.query_params.dict())
        known = people.of(found(pk).number)
        sources = [source for source in thread.SOURCES if request.user.has_perm(source.right)]
        return Response(timelines.page(known.person, sources, query))

"""Messages: sent by the thousand, looked at one by one."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from laaffic_console.api import documents, shapes
from laaffic_console.api.handling import lookups, problems
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import LARGEST_ID, ApiView, ListQuery, page, row
from laaffic_console.api.messages import sending
from laaffic_console.api.models import Scope
from laaffic_console.kit.lists.spans import within_span
from messaging.models import Campaign, Message, MessageState
from messaging.services.replies import reply_pulls

STATES = {state.key: state.value for state in MessageState if state != MessageState.CLAIMED}


def recipients(rows: QuerySet[Message], campaign: int, state: str | None) -> QuerySet[Message]:
    """The messages of a campaign, or those in one state; all of them are read between its first and last only."""
    if state is None:
        return within_span(rows, "campaign", campaign, by="state")
    return rows.filter(campaign=campaign, state=STATES[state])


class MessageQuery(ListQuery):
    campaign = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID - 1)
    number = serializers.CharField(required=False, max_length=60)
    state = serializers.ChoiceField(choices=list(STATES), required=False, help_text="with “campaign” or “number”")


class MessagesView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.SEND}
    rights = {
        "GET": ["messaging.view_message"],
        "POST": ["messaging.add_campaign", "messaging.launch_campaign"],
    }

    @extend_schema(operation_id="messages_list", parameters=[MessageQuery], responses=shapes.page_of(shapes.Message))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(MessageQuery, request.query_params.dict())
        rows = Message.objects.all()
        if "state" in query and not ("campaign" in query or "number" in query):
            said = _("A state is searched only within a campaign or for a number. Give one of them too.")
            raise problems.at("state", said)
        if "campaign" in query:
            rows = recipients(rows, row(Campaign.objects.all(), query["campaign"]).pk, query.get("state"))
        elif "state" in query:
            rows = rows.filter(state=STATES[query["state"]])
        rows = narrowed(rows, query, number="number")
        return Response(page(rows, query, documents.message))

    @extend_schema(parameters=[KEY], request=shapes.MessagesRequest, responses={202: shapes.MessagesAnswer})
    def post(self, request: Any) -> Response:
        """Send one message, or up to 10,000. With an Idempotency-Key it can be repeated blindly."""
        asked = self.read(shapes.MessagesRequest)
        self.names = {"text": "template"} if "template" in asked else {}
        numbers, invalid = sending.read_numbers(asked["to"])
        if not numbers:
            said = _("None of these is a valid number: %(why)s")
            raise problems.at("to", said % {"why": invalid[0]["reason"]}, invalid=invalid)
        application = lookups.application(asked["application"])
        reply_pulls.read_if_due(application)
        answer = self.once(lambda: sending.send(asked, application, numbers, request.user))
        if answer.status != 202:
            return Response(answer.body, answer.status, content_type=problems.CONTENT_TYPE)
        body = {**answer.body, "messages": sending.messages_of(answer), "invalid": invalid}
        return Response({**body, **self.unkeyed_note()}, answer.status)


class MessageView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_message"]}
    has_etag = True

    @extend_schema(responses=shapes.Message)
    def get(self, request: Any, pk: int) -> Response:
        """What happened to a message."""
        return Response(documents.message(row(Message.objects.all(), pk)))

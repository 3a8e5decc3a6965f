"""Saved answers: texts that are offered beside the answer box of every conversation."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.conversations import documents, shapes
from laaffic_console.api.handling.changing import changed, deleted
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.kit.audit.acts import Act, record
from messaging.models import SavedAnswer
from messaging.services.campaigns import saved_answers

LOOK = "messaging.view_savedanswer"


class SavedAnswersView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": [LOOK], "POST": [LOOK, "messaging.add_savedanswer"]}

    @extend_schema(operation_id="saved_answers_list", parameters=[ListQuery], responses=page_of(shapes.SavedAnswer))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(SavedAnswer.objects.all(), query, documents.saved))

    @extend_schema(parameters=[KEY], request=shapes.SavedAnswerRequest, responses={201: shapes.SavedAnswer})
    def post(self, request: Any) -> Response:
        """Keep a text that you send often."""
        asked = self.read(shapes.SavedAnswerRequest)

        def work() -> Answer:
            saved = SavedAnswer(**asked)
            saved_answers.keep(saved)
            record(Act.ADDED, saved)
            return Answer(201, documents.saved(saved))

        answer = self.once(work)
        return Response(answer.body, answer.status)


class SavedAnswerView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.CONTACTS, "DELETE": Scope.CONTACTS}
    rights = {
        "GET": [LOOK],
        "PATCH": [LOOK, "messaging.change_savedanswer"],
        "DELETE": [LOOK, "messaging.delete_savedanswer"],
    }
    has_etag = True

    @extend_schema(responses=shapes.SavedAnswer)
    def get(self, request: Any, pk: int) -> Response:
        """One saved answer."""
        return Response(documents.saved(row(SavedAnswer.objects.all(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.SavedAnswerChange, responses=shapes.SavedAnswer)
    def patch(self, request: Any, pk: int) -> Response:
        """Change the title or the text of a saved answer."""
        asked = self.read(shapes.SavedAnswerChange)
        answer = changed(self, SavedAnswer.objects.all(), pk, asked, saved_answers.keep, documents.saved)
        return Response(documents.saved(row(SavedAnswer.objects.all(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a saved answer. Messages that were sent with it stay."""
        return Response(status=deleted(self, SavedAnswer.objects.all(), pk, documents.saved).status)

"""A person's word on what a message cost, where the amount that Laaffic named cannot be right."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.campaigns import documents, shapes
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.api.models import Scope
from messaging.models import Message
from messaging.services.reports import amount_words

LOOK = "messaging.view_message"


class AmountView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.APPROVE}
    rights = {"GET": [LOOK], "POST": [LOOK, "messaging.resolve_campaign"]}

    @extend_schema(responses=shapes.Amount)
    def get(self, request: Any, pk: int) -> Response:
        """What a message cost, and the amounts that Laaffic named and that cannot be right."""
        return Response(documents.amount(row(Message.objects.all(), pk)))

    @extend_schema(parameters=[KEY], request=shapes.AmountRequest, responses=shapes.Amount)
    def post(self, request: Any, pk: int) -> Response:
        """Count an amount that cannot be right anyway, or leave it out, with a reason."""
        asked = self.read(shapes.AmountRequest)
        about = {"take": asked["word"] == shapes.TAKE, "by": request.user}

        def work() -> Answer:
            message = row(Message.objects.all(), pk)
            if not amount_words.was_said(message, asked["event"], **about):
                amount_words.decide(pk, asked["event"], why=asked["why"], **about)
                message.refresh_from_db()
            return Answer(200, documents.amount(message))

        answer = self.once(work)
        return Response(answer.body, answer.status)

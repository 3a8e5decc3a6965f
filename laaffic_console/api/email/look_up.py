"""Asking Laaffic what email campaigns can choose from."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.email import documents, shapes
from laaffic_console.api.email.views import ADD, VIEW
from laaffic_console.api.handling import lookups
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView
from laaffic_console.api.models import Scope
from laaffic_console.gateway.models import Channel
from messaging.services.email import choices as email_choices


class LookUpView(ApiView):
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, ADD]}

    @extend_schema(
        operation_id="email_choices_look_up",
        parameters=[KEY],
        request=shapes.LookUpRequest,
        responses=shapes.LookedUp,
    )
    def post(self, request: Any) -> Response:
        """Ask Laaffic for templates, recipient lists and sender addresses, of one application or of all."""
        asked = self.read(shapes.LookUpRequest)
        answer = self.once(lambda: _looked_up(asked.get("application")), in_one=False)
        return Response(answer.body, answer.status)


def _looked_up(app_id: str | None) -> Answer:
    if app_id is None:
        found = email_choices.refresh_all()
    else:
        found = email_choices.refresh(lookups.application(app_id, Channel.EMAIL))
    return Answer(200, {"lookups": [documents.lookup(one) for one in found]})

"""Other acts on pools, bindings and owned numbers: taken over, looked up, given an announcement."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from laaffic_console.api.handling import files
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.numbers import documents, shapes
from laaffic_console.api.numbers.views import (
    LOOK_AT_BINDINGS,
    LOOK_AT_OWNED,
    LOOK_AT_POOLS,
    LOOK_AT_REQUESTS,
    asked_for,
    edited,
    pools,
)
from laaffic_console.api.shapes import page_of
from laaffic_console.laaffic import VoicemailFile
from laaffic_console.laaffic.numbers import MAX_VOICEMAIL
from phone_numbers.models import NumberPool, OwnedNumber
from phone_numbers.services import pool_changes


class AdoptView(ApiView):
    scopes = {"POST": Scope.NUMBERS}
    rights = {"POST": [LOOK_AT_POOLS, "numbers.change_numberpool"]}

    @extend_schema(parameters=[KEY], request=shapes.AdoptRequest, responses=shapes.Pool)
    def post(self, request: Any, pk: int) -> Response:
        """Take over the configuration that Laaffic holds, as it was seen: it becomes our version; nothing is sent."""
        seen = self.read(shapes.AdoptRequest)["seen"]

        def work() -> Answer:
            pool = row(pools(), pk)
            if not _is_taken_over(pool, seen):
                pool_changes.adopt(pool, seen_listed=seen, by=request.user)
            return Answer(200, {"id": pk})

        answer = self.once(work)
        return Response(documents.pool(row(pools(), pk)), answer.status)


def _is_taken_over(pool: NumberPool, seen: str) -> bool:
    is_adopted = pool.current is not None and pool.current.origin == pool_changes.Origin.ADOPTED
    return is_adopted and pool.drifted_at is None and pool_changes.listed_as_shown(pool) == seen


class BindingRequestsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_BINDINGS, LOOK_AT_REQUESTS]}

    @extend_schema(operation_id="binding_requests_list", parameters=[ListQuery], responses=page_of(shapes.AskedBinding))
    def get(self, request: Any) -> Response:
        """Requests to bind or unbind, the newest first, also those that never became a binding."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(asked_for(), query, documents.asked_binding))


class VoicemailView(ApiView):
    names = {"voicemail_file": "file"}
    scopes = {"POST": Scope.NUMBERS}
    rights = {"POST": [LOOK_AT_OWNED, "numbers.edit_ownednumber"]}
    parser_classes = [MultiPartParser]
    takes_file = True

    @extend_schema(
        parameters=[KEY],
        request={"multipart/form-data": shapes.VoicemailRequest},
        responses={202: shapes.OwnedChanged},
    )
    def post(self, request: Any, pk: int) -> Response:
        """Give a number's voicemail another announcement, if the number still has what was seen.

        The same file within ten minutes is sent once.
        """
        files.require_room(request)
        asked = self.read(shapes.VoicemailRequest)
        data, name = files.content(asked["file"], MAX_VOICEMAIL)
        number = row(OwnedNumber.objects.all(), pk)
        file = VoicemailFile(name, data)
        answer = self.once_sent(lambda: edited(number, {}, asked["seen"], request.user, file=file), status=202)
        return Response(documents.changed_owned(row(OwnedNumber.objects.all(), answer.body["id"])), answer.status)

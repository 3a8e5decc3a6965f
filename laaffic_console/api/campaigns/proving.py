"""A campaign's figures derived again from its recipients and requests, by the same service as on its page."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.campaigns import documents, shapes
from laaffic_console.api.campaigns.changing import rows
from laaffic_console.api.campaigns.views import VIEW
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from messaging.services.figures import proofs


class ProofsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CAMPAIGNS}
    rights = {"GET": [VIEW], "POST": [VIEW]}

    @extend_schema(operation_id="campaigns_proofs_list", parameters=[ListQuery], responses=page_of(shapes.Proof))
    def get(self, request: Any, pk: int) -> Response:
        """The results of proving its figures, the newest first; the last ten are kept."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(proofs.of(row(rows(), pk)), query, documents.proof))

    @extend_schema(parameters=[KEY], request=None, responses={202: shapes.Proof})
    def post(self, request: Any, pk: int) -> Response:
        """Derive every figure again and name each that disagrees: a small campaign at once, a large one by a worker."""
        campaign = row(rows(), pk)

        def work() -> Answer:
            proofs.require_launched(campaign)
            return Answer(202, documents.proof(proofs.ask(campaign, by=request.user)))

        answer = self.once(work, in_one=False)
        return Response(answer.body, answer.status)

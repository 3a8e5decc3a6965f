"""The balance, and whether the console is well."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import documents, shapes
from laaffic_console.api.models import Scope
from laaffic_console.api.views import ApiView
from laaffic_console.dashboard import health
from laaffic_console.gateway.models import BalanceReading


class BalanceView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["gateway.view_balancereading"]}

    @extend_schema(responses=shapes.Balance)
    def get(self, request: Any) -> Response:
        """As it was last read."""
        last = BalanceReading.objects.order_by("-at").first()
        return Response(
            {
                "at": documents.moment(last.at) if last else None,
                "balance": str(last.balance) if last else None,
                "currency": last.currency if last else "",
            }
        )


class HealthView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["gateway.view_workerheartbeat"]}

    @extend_schema(responses=shapes.Health)
    def get(self, request: Any) -> Response:
        """Whether database, queue and workers work together."""
        parts = health.parts()
        well = all(part.is_well for part in parts)
        return Response({"status": "ok" if well else "not ready", "parts": {one.name: one.says for one in parts}})

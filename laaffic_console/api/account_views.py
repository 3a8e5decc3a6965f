"""The balance, what holds the account, and whether the console is well."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api import documents, shapes
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.views import ApiView, Flag, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.dashboard.health import health
from laaffic_console.gateway.models import AccountHold
from laaffic_console.gateway.services.account import account_hold, balance_history

LOOK_AT_HOLDS, END_HOLDS = "gateway.view_accounthold", "gateway.release_accounthold"


class BalanceView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["gateway.view_balancereading"]}

    @extend_schema(responses=shapes.Balance)
    def get(self, request: Any) -> Response:
        """The account's balance as it was last read from Laaffic."""
        last = balance_history.latest()
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
        """Whether the database, the queue and the workers work together."""
        parts = health.parts()
        well = all(part.is_well for part in parts)
        return Response({"status": "ok" if well else "not ready", "parts": {one.name: one.says for one in parts}})


class AccountHoldQuery(ListQuery):
    open = Flag(help_text="only those that hold now")


def _holds() -> QuerySet[AccountHold]:
    return AccountHold.objects.select_related("application", "released_by")


class AccountHoldsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_HOLDS]}

    @extend_schema(
        operation_id="account_holds_list", parameters=[AccountHoldQuery], responses=shapes.page_of(shapes.AccountHold)
    )
    def get(self, request: Any) -> Response:
        """Holds that stop the account, an application or one campaign, the newest first."""
        query = self.read(AccountHoldQuery, request.query_params.dict())
        rows = _holds()
        if query["open"] is not None:
            rows = rows.filter(released_at__isnull=query["open"])
        return Response(page(rows, query, documents.account_hold))


class AccountHoldView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_HOLDS]}
    has_etag = True

    @extend_schema(responses=shapes.AccountHold)
    def get(self, request: Any, pk: int) -> Response:
        """Why a hold exists, and what Laaffic answered last."""
        return Response(documents.account_hold(row(_holds(), pk)))


class AskAccountHoldView(ApiView):
    scopes = {"POST": Scope.APPROVE}
    rights = {"POST": [LOOK_AT_HOLDS, END_HOLDS]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.AccountHold)
    def post(self, request: Any, pk: int) -> Response:
        """Ask Laaffic now whether it takes requests again. If it does, the hold ends."""
        row(_holds(), pk)

        def work() -> Answer:
            account_hold.probe(at_once=True)
            return Answer(200, {"id": pk})

        answer = self.once(work, in_one=False)
        return Response(documents.account_hold(row(_holds(), pk)), answer.status)


class EndAccountHoldView(ApiView):
    scopes = {"POST": Scope.APPROVE}
    rights = {"POST": [LOOK_AT_HOLDS, END_HOLDS]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.AccountHold)
    def post(self, request: Any, pk: int) -> Response:
        """End a hold whose cause is gone: what it stopped goes on. A hold that has ended stays as it is."""
        row(_holds(), pk)

        def work() -> Answer:
            account_hold.end_by_hand(pk, by=request.user)
            return Answer(200, {"id": pk})

        answer = self.once(work)
        return Response(documents.account_hold(row(_holds(), pk)), answer.status)

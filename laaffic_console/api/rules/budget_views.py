"""Budgets: set, changed, and lifted by an approver for the rest of a day or month."""

from contextlib import suppress
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.handling import lookups
from laaffic_console.api.handling.changing import changed, deleted
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.api.models import Scope
from laaffic_console.api.rules import documents, shapes
from laaffic_console.api.shapes import page_of
from messaging.models import Budget
from messaging.services.budgets import budgets

LOOK = "messaging.view_budget"


def _budgets() -> Any:
    return Budget.objects.select_related("application")


def _shown(budget: Budget) -> dict[str, Any]:
    return documents.budget(budgets.standing(budget))


class BudgetsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.SETTINGS}
    rights = {"GET": [LOOK], "POST": [LOOK, "messaging.add_budget"]}
    has_etag = True

    @extend_schema(operation_id="budgets_list", responses=page_of(shapes.Budget))
    def get(self, request: Any) -> Response:
        """Every budget, and how much of it has been used in the current period."""
        return Response({"items": [documents.budget(one) for one in budgets.standings()], "next": None})

    @extend_schema(parameters=[KEY], request=shapes.BudgetRequest, responses={201: shapes.Budget})
    def post(self, request: Any) -> Response:
        """Limit what an application sends or spends; what it has sent in this period counts already."""
        asked = self.read(shapes.BudgetRequest)

        def work() -> Answer:
            given = {**asked, "application": lookups.application(asked["application"])}
            return Answer(201, {"id": budgets.create(**given).pk})

        answer = self.once(work)
        return Response(_shown(row(_budgets(), answer.body["id"])), answer.status)


class BudgetView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.SETTINGS, "DELETE": Scope.SETTINGS}
    rights = {
        "GET": [LOOK],
        "PATCH": [LOOK, "messaging.change_budget"],
        "DELETE": [LOOK, "messaging.delete_budget"],
    }
    has_etag = True

    @extend_schema(responses=shapes.Budget)
    def get(self, request: Any, pk: int) -> Response:
        """One budget, and how much of it has been used in the current period."""
        return Response(_shown(row(_budgets(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.BudgetChange, responses=shapes.Budget)
    def patch(self, request: Any, pk: int) -> Response:
        """Change the limit of a budget; what was used in this period stays counted."""
        asked = self.read(shapes.BudgetChange)
        answer = changed(self, _budgets(), pk, asked, budgets.save_limit, _shown)
        return Response(_shown(row(_budgets(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a budget: it no longer limits its application."""
        return Response(status=deleted(self, _budgets(), pk, _shown).status)


class LiftView(ApiView):
    names = {"reason": "why"}
    scopes = {"POST": Scope.APPROVE}
    rights = {"POST": [LOOK, "messaging.approve_campaign"]}

    @extend_schema(parameters=[KEY], request=shapes.BudgetLiftRequest, responses=shapes.Budget)
    def post(self, request: Any, pk: int) -> Response:
        """Lift a budget until its day or month ends. Campaigns that are held go on when somebody resumes them."""
        asked = self.read(shapes.BudgetLiftRequest)
        row(_budgets(), pk)

        def work() -> Answer:
            with suppress(budgets.LiftedAlready):
                budgets.lift(pk, reason=asked["why"], by=request.user, day=asked["starts_on"])
            return Answer(200, {"id": pk})

        answer = self.once(work)
        return Response(_shown(row(_budgets(), pk)), answer.status)

"""Templates, and the calendars and budgets that campaigns keep to: these two are set on their pages."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.idempotency import Answer
from laaffic_console.api.message_views import KEY
from laaffic_console.api.models import Scope
from laaffic_console.api.rules import documents, shapes
from laaffic_console.api.shapes import page_of
from laaffic_console.api.views import ApiView, ListQuery, page, row
from laaffic_console.kit.acts import Act, record
from messaging.models import Calendar, MessageTemplate
from messaging.services.budgets import budgets
from messaging.services.campaigns import templates

LOOK_AT_TEMPLATES = "messaging.view_messagetemplate"


class TemplatesView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CAMPAIGNS}
    rights = {"GET": [LOOK_AT_TEMPLATES], "POST": [LOOK_AT_TEMPLATES, "messaging.add_messagetemplate"]}

    @extend_schema(operation_id="templates_list", parameters=[ListQuery], responses=page_of(shapes.Template))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(MessageTemplate.objects.all(), query, documents.template))

    @extend_schema(parameters=[KEY], request=shapes.TemplateRequest, responses={201: shapes.Template})
    def post(self, request: Any) -> Response:
        """Keep a text under a name."""
        asked = self.read(shapes.TemplateRequest)

        def work() -> Answer:
            template = MessageTemplate(name=asked["name"], text=asked["text"])
            templates.save(template, note=asked["note"], by=request.user)
            record(Act.ADDED, template)
            return Answer(201, documents.template(template))

        answer = self.once(work)
        return Response(answer.body, answer.status)


class TemplateView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_TEMPLATES]}
    has_etag = True

    @extend_schema(responses=shapes.Template)
    def get(self, request: Any, pk: int) -> Response:
        """Its text as it is now."""
        return Response(documents.template(row(MessageTemplate.objects.all(), pk)))


class TemplateVersionsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_TEMPLATES]}

    @extend_schema(parameters=[ListQuery], responses=page_of(shapes.TemplateVersion))
    def get(self, request: Any, pk: int) -> Response:
        """Every text that it has had, the newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(row(MessageTemplate.objects.all(), pk).versions.all(), query, documents.version))


def _calendars() -> Any:
    return Calendar.objects.prefetch_related("applications__application")


class CalendarsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_calendar"]}

    @extend_schema(operation_id="calendars_list", parameters=[ListQuery], responses=page_of(shapes.Calendar))
    def get(self, request: Any) -> Response:
        """When recipients may be reached, by their own clocks."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(_calendars(), query, documents.calendar))


class CalendarView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_calendar"]}
    has_etag = True

    @extend_schema(responses=shapes.Calendar)
    def get(self, request: Any, pk: int) -> Response:
        """Its hours, and whose campaigns keep it."""
        return Response(documents.calendar(row(_calendars(), pk)))


class BudgetsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_budget"]}
    has_etag = True

    @extend_schema(responses=shapes.Budgets)
    def get(self, request: Any) -> Response:
        """Every budget, and what has gone of it in the period of today."""
        return Response({"items": [documents.budget(one) for one in budgets.standings()]})

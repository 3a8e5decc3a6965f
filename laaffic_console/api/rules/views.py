"""Templates, and the calendars that campaigns keep to."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.handling import lookups
from laaffic_console.api.handling.changing import changed, deleted
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.rules import documents, shapes
from laaffic_console.api.shapes import page_of
from laaffic_console.kit.audit.acts import Act, record
from messaging.models import ApplicationCalendar, Calendar, MessageTemplate
from messaging.services.campaigns import calendars, templates

LOOK_AT_TEMPLATES, LOOK_AT_CALENDARS = "messaging.view_messagetemplate", "messaging.view_calendar"
LOOK_AT_GIVEN = "messaging.view_applicationcalendar"


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
        """Keep a text as a template under a name."""
        asked = self.read(shapes.TemplateRequest)

        def work() -> Answer:
            template = MessageTemplate(name=asked["name"], text=asked["text"])
            templates.save(template, note=asked["note"], by=request.user)
            record(Act.ADDED, template)
            return Answer(201, documents.template(template))

        answer = self.once(work)
        return Response(answer.body, answer.status)


class TemplateView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.CAMPAIGNS, "DELETE": Scope.CAMPAIGNS}
    rights = {
        "GET": [LOOK_AT_TEMPLATES],
        "PATCH": [LOOK_AT_TEMPLATES, "messaging.change_messagetemplate"],
        "DELETE": [LOOK_AT_TEMPLATES, "messaging.delete_messagetemplate"],
    }
    has_etag = True

    @extend_schema(responses=shapes.Template)
    def get(self, request: Any, pk: int) -> Response:
        """The current text of a template."""
        return Response(documents.template(row(MessageTemplate.objects.all(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.TemplateChange, responses=shapes.Template)
    def patch(self, request: Any, pk: int) -> Response:
        """Rename a template, or give it another text, which makes a new version."""
        asked = self.read(shapes.TemplateChange)
        note = asked.pop("note", "")

        def save(template: MessageTemplate) -> None:
            templates.save(template, note=note, by=request.user)

        answer = changed(self, MessageTemplate.objects.all(), pk, asked, save, documents.template)
        return Response(documents.template(row(MessageTemplate.objects.all(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a template, unless a draft has its text from it. Its versions stay with what was sent."""
        return Response(status=deleted(self, MessageTemplate.objects.all(), pk, documents.template).status)


class TemplateVersionsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_TEMPLATES]}

    @extend_schema(parameters=[ListQuery], responses=page_of(shapes.TemplateVersion))
    def get(self, request: Any, pk: int) -> Response:
        """Every text that the template has had, the newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(row(MessageTemplate.objects.all(), pk).versions.all(), query, documents.version))


def _calendars() -> Any:
    return Calendar.objects.prefetch_related("applications__application")


class CalendarsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.SETTINGS}
    rights = {"GET": [LOOK_AT_CALENDARS], "POST": [LOOK_AT_CALENDARS, "messaging.add_calendar"]}

    @extend_schema(operation_id="calendars_list", parameters=[ListQuery], responses=page_of(shapes.Calendar))
    def get(self, request: Any) -> Response:
        """The hours in which recipients may be reached, by their own clocks."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(_calendars(), query, documents.calendar))

    @extend_schema(parameters=[KEY], request=shapes.CalendarRequest, responses={201: shapes.Calendar})
    def post(self, request: Any) -> Response:
        """Make a calendar. A campaign can name it, or an application can have it for all its campaigns."""
        asked = _as_lines(self.read(shapes.CalendarRequest))

        def work() -> Answer:
            calendar = calendars.save(Calendar(**asked))
            record(Act.ADDED, calendar)
            return Answer(201, documents.calendar(calendar))

        answer = self.once(work)
        return Response(answer.body, answer.status)


def _as_lines(asked: dict[str, Any]) -> dict[str, Any]:
    """The fields as the service takes them: a list as the lines of a text."""
    return {name: "\n".join(value) if isinstance(value, list) else value for name, value in asked.items()}


class CalendarView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.SETTINGS, "DELETE": Scope.SETTINGS}
    rights = {
        "GET": [LOOK_AT_CALENDARS],
        "PATCH": [LOOK_AT_CALENDARS, "messaging.change_calendar"],
        "DELETE": [LOOK_AT_CALENDARS, "messaging.delete_calendar"],
    }
    has_etag = True

    @extend_schema(responses=shapes.Calendar)
    def get(self, request: Any, pk: int) -> Response:
        """The hours of a calendar, and whose campaigns keep it."""
        return Response(documents.calendar(row(_calendars(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.CalendarChange, responses=shapes.Calendar)
    def patch(self, request: Any, pk: int) -> Response:
        """Change the hours or dates of a calendar; campaigns that wait by it are looked at again."""
        asked = _as_lines(self.read(shapes.CalendarChange))
        answer = changed(
            self, _calendars(), pk, asked, lambda one: calendars.save(one, list(asked)), documents.calendar
        )
        return Response(documents.calendar(row(_calendars(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a calendar that no application and no campaign has."""
        return Response(status=deleted(self, _calendars(), pk, documents.calendar, calendars.delete).status)


class ApplicationCalendarsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.SETTINGS}
    rights = {
        "GET": [LOOK_AT_GIVEN],
        "POST": [
            LOOK_AT_GIVEN,
            LOOK_AT_CALENDARS,
            "messaging.add_applicationcalendar",
            "messaging.change_applicationcalendar",
        ],
    }

    @extend_schema(
        operation_id="application_calendars_list", parameters=[ListQuery], responses=page_of(shapes.ApplicationCalendar)
    )
    def get(self, request: Any) -> Response:
        """The calendar of each application, for its campaigns that name none."""
        query = self.read(ListQuery, request.query_params.dict())
        rows = ApplicationCalendar.objects.select_related("application", "calendar")
        return Response(page(rows, query, documents.application_calendar))

    @extend_schema(parameters=[KEY], request=shapes.ApplicationCalendarRequest, responses=shapes.ApplicationCalendar)
    def post(self, request: Any) -> Response:
        """Give an application a calendar, or take it away; campaigns that wait by it are looked at again."""
        asked = self.read(shapes.ApplicationCalendarRequest)

        def work() -> Answer:
            application, calendar = lookups.application(asked["application"]), lookups.calendar(asked["calendar"])
            return Answer(200, documents.application_calendar(calendars.give(application, calendar)))

        answer = self.once(work)
        return Response(answer.body, answer.status)

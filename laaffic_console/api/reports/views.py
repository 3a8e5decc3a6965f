"""Reports that are saved under a name: what they ask, and to whom they are sent."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.handling.changing import deleted, locked
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.reports import documents, shapes
from laaffic_console.api.shapes import page_of
from laaffic_console.kit.audit import row_changes
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.reports import asking, report_file
from laaffic_console.reports.models import Report, Sending
from laaffic_console.reports.services import saving, schedule


def _visible(reader: User) -> QuerySet[Report]:
    """The user's own reports and those that others share; all of them for a superuser, as on their page."""
    last = Sending.objects.filter(report=OuterRef("report")).order_by("-id").values("pk")[:1]
    last_sendings = Prefetch("sendings", Sending.objects.filter(pk=Subquery(last)), to_attr="last_sendings")
    rows = Report.objects.select_related("owner").prefetch_related("users", last_sendings)
    return rows if reader.is_superuser else rows.filter(Q(owner=reader) | Q(is_shared=True))


def _require_own(report: Report, reader: User) -> None:
    if report.owner_id != reader.pk and not reader.is_superuser:
        said = _("“%(name)s” belongs to %(person)s, who shares it. Save one of your own.")
        raise Problem(403, said % {"name": report.name, "person": report.owner.get_username()})


def _people(names: Sequence[str]) -> list[User]:
    found = {user.get_username(): user for user in User.objects.filter(username__in=names, is_staff=True)}
    if unknown := [name for name in names if name not in found]:
        said = _("There is nobody called “%(name)s” in this console. Correct the name, or write to an address.")
        raise ValidationError({"users": said % {"name": unknown[0]}})
    return list(found.values())


def _keep(report: Report, asked: dict[str, Any]) -> None:
    if "query" in asked:
        asking.require_known(asked["query"])
    for name in documents.AS_THEY_ARE:
        if name in asked:
            setattr(report, name, asked[name])
    if "addresses" in asked:
        report.addresses = "\n".join(asked["addresses"])
    saving.keep(report, _people(asked["users"]) if "users" in asked else None)


class ReportsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.EXPORTS}
    rights = {"GET": [saving.VIEW], "POST": [saving.VIEW, "reports.add_report"]}

    @extend_schema(operation_id="reports_list", parameters=[ListQuery], responses=page_of(shapes.SavedReport))
    def get(self, request: Any) -> Response:
        """Your own reports and those that others share, the newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(_visible(request.user), query, lambda one: documents.report(one, request.user)))

    @extend_schema(parameters=[KEY], request=shapes.ReportRequest, responses={201: shapes.SavedReport})
    def post(self, request: Any) -> Response:
        """Save what a report asks under a name; with a schedule it is sent by email."""
        asked = self.read(shapes.ReportRequest)

        def work() -> Answer:
            report = Report(owner=request.user)
            _keep(report, asked)
            record(Act.ADDED, report)
            return Answer(201, {"id": report.pk})

        answer = self.once(work)
        return Response(documents.report(row(_visible(request.user), answer.body["id"]), request.user), answer.status)


class ReportView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.EXPORTS, "DELETE": Scope.EXPORTS}
    rights = {
        "GET": [saving.VIEW],
        "PATCH": [saving.VIEW, "reports.change_report"],
        "DELETE": [saving.VIEW, "reports.delete_report"],
    }
    has_etag = True

    @extend_schema(responses=shapes.SavedReport)
    def get(self, request: Any, pk: int) -> Response:
        """What a report asks, to whom it is sent, and how its last sending went."""
        return Response(documents.report(row(_visible(request.user), pk), request.user))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.ReportChange, responses=shapes.SavedReport)
    def patch(self, request: Any, pk: int) -> Response:
        """Change the fields that you name; the others stay."""
        asked, shown = self.read(shapes.ReportChange), partial(documents.report, reader=request.user)

        def work() -> Answer:
            report = locked(self, _visible(request.user), pk, shown)
            _require_own(report, request.user)
            before = row_changes.kept(report, beside=["users"])
            _keep(report, asked)
            row_changes.record(report, before, beside=["users"])
            return Answer(200, {"id": pk})

        answer = self.once(work)
        return Response(shown(row(_visible(request.user), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a report: it is not sent any more, and links to it stop working."""
        shown = partial(documents.report, reader=request.user)

        def delete(report: Report) -> None:
            _require_own(report, request.user)
            report.delete()

        return Response(status=deleted(self, _visible(request.user), pk, shown, delete).status)


class SendReportView(ApiView):
    scopes = {"POST": Scope.EXPORTS}
    rights = {"POST": [saving.VIEW, "reports.change_report", *report_file.RIGHTS]}

    @extend_schema(parameters=[KEY], request=None, responses={202: shapes.LastSending})
    def post(self, request: Any, pk: int) -> Response:
        """Send the report by email now, in addition to its schedule. “last_sending” later shows how that went."""
        report = row(_visible(request.user), pk)
        _require_own(report, request.user)
        answer = self.once(lambda: Answer(202, documents.sending(schedule.send_now(report), sees_problem=True)))
        return Response(answer.body, answer.status)

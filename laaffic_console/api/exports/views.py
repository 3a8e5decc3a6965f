"""Data to take away: exports, made by a worker, and reports by period."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import User
from django.http import FileResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.exports import documents, shapes
from laaffic_console.api.handling import problems
from laaffic_console.api.handling.files import DOWNLOADED
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.exporting import kinds
from laaffic_console.exporting.kinds import NotExportable, NotExportableNow
from laaffic_console.exporting.models import Export
from laaffic_console.exporting.services import keeping, making
from laaffic_console.kit.files import exports
from laaffic_console.reports import documents as report_documents
from laaffic_console.reports import report_keys, reporting


def _own(user: User) -> Any:
    """The exports that the user asked for; everybody's, if they may see those."""
    rows = Export.objects.all()
    return rows if user.has_perm(keeping.AUDIT) else rows.filter(asked_by=user)


class ExportsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.EXPORTS}

    @extend_schema(operation_id="exports_list", parameters=[shapes.ExportQuery], responses=page_of(shapes.Export))
    def get(self, request: Any) -> Response:
        """Your own exports, the newest first; everybody's if you may see them."""
        query = self.read(shapes.ExportQuery, request.query_params.dict())
        rows = _own(request.user)
        rows = narrowed(rows, query, state="state")
        return Response(page(rows, query, documents.export))

    @extend_schema(parameters=[KEY], request=shapes.ExportRequest, responses={202: shapes.Export})
    def post(self, request: Any) -> Response:
        """Have a worker write a file. Its rows are as its user may see them; …/file has it when it is finished."""
        asked = self.read(shapes.ExportRequest)
        try:
            answer = self.once(lambda: _ask(asked, request.user))
        except NotExportableNow as problem:
            raise Problem(409, str(problem)) from problem
        except NotExportable as problem:
            raise (Problem(404, str(problem)) if "id" in asked else problems.at("query", str(problem))) from problem
        return Response(documents.export(row(_own(request.user), answer.body["id"])), answer.status)


def _ask(asked: dict[str, Any], by: User) -> Answer:
    name = asked["kind"]
    kind = kinds.named(shapes.LISTS.get(name, name))
    if missing := [right for right in kind.rights if not by.has_perm(right)]:
        said = _("The token's user lacks the right %(right)s. Ask an administrator for it.")
        raise Problem(403, said % {"right": missing[0]})
    file_format = asked.get("format", kind.formats[0])
    if file_format not in kind.formats:
        said = _("“%(kind)s” is made as %(formats)s only.")
        raise problems.at("format", said % {"kind": name, "formats": ", ".join(kind.formats)})
    parameters = {shapes.OF_ONE[name]: asked["id"]} if "id" in asked else {"query": asked.get("query", "")}
    kind.count(parameters, by, 1)  # NotExportable if the row does not exist
    return Answer(202, {"id": making.ask(kind, parameters, file_format, by=by).pk})


class ExportView(ApiView):
    scopes = {"GET": Scope.READ}
    has_etag = True

    @extend_schema(responses=shapes.Export)
    def get(self, request: Any, pk: int) -> Response:
        """The state of an export and how far it is."""
        return Response(documents.export(row(_own(request.user), pk)))


class ExportCancelView(ApiView):
    scopes = {"POST": Scope.EXPORTS}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.Export)
    def post(self, request: Any, pk: int) -> Response:
        """Stop writing an export. One that is over stays as it is."""
        row(_own(request.user), pk)

        def work() -> Answer:
            making.cancel(pk)
            return Answer(200, {"id": pk})

        answer = self.once(work)
        return Response(documents.export(row(_own(request.user), pk)), answer.status)


class ExportFileView(ApiView):
    scopes = {"GET": Scope.EXPORTS}

    @extend_schema(responses=DOWNLOADED)
    def get(self, request: Any, pk: int) -> FileResponse:
        """Download the file. The rights of its user are checked again, and each download is noted."""
        export = row(_own(request.user), pk)
        if not keeping.may_take(request.user, export):
            raise Problem(403, _("The token's user may no longer export these rows. Ask an administrator."))
        if (opened := keeping.open_file(export)) is None:
            raise Problem(409, _why_no_file(export))
        keeping.note_download(export, request.user)
        name = f"{keeping.name_for_people(export)}.{export.format}"
        return FileResponse(opened, as_attachment=True, filename=name, content_type=exports.TYPES[export.format])


def _why_no_file(export: Export) -> str:
    state = keeping.state_now(export)
    if state == Export.State.EXPIRED:
        return _("The file is there no longer: its days are over, or it was deleted. Ask for the export again.")
    if export.is_direct:
        return _("There is no file: these rows went straight to a browser. Ask for an export of them.")
    said = _("There is no file: the export is %(state)s.") % {"state": Export.State(state).label.lower()}
    if export.is_open:
        return " ".join([said, _("Ask for the file again when it is finished.")])
    return " ".join([said, _("Ask for the export again.")])


def _period(first: dt.date, last: dt.date) -> reporting.Period:
    with problems.about("first"):
        return reporting.period(first, last)


def _keys(name: str, typed: list[str]) -> list[str]:
    with problems.about(name):
        return report_keys.keys_of(name, typed)


class ReportView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["reports.view_report"]}
    has_etag = True

    @extend_schema(operation_id="report_retrieve", parameters=[shapes.ReportQuery], responses=shapes.Figures)
    def get(self, request: Any) -> Response:
        """What was sent in a period, what happened to it, what it cost: the document of `manage.py report --json`."""
        query = self.read(shapes.ReportQuery, request.query_params.dict())
        only = {name: _keys(name, query[name]) for name in shapes.ONLY if query.get(name)}
        found = reporting.run(
            _period(query["first"], query["last"]),
            query.get("by", []),
            columns=query.get("columns", []),
            compare=query["compare"],
            only=only,
        )
        return Response(report_documents.document(found))

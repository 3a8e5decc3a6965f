"""Imports of contacts: uploaded, read another way, started, cancelled, and the rows that are not contacts."""

from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from laaffic_console.api.contacts import documents, shapes, uploads
from laaffic_console.api.handling import files, lookups, problems
from laaffic_console.api.handling.files import DOWNLOADED
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.kit.files import exporting, exports
from laaffic_console.kit.masking.masks import SEE
from messaging.models import Contact, ContactImport, ImportUndo
from messaging.services.imports import bad_rows, imports
from messaging.services.imports import files as import_files
from messaging.services.imports import undo as import_undo
from messaging.services.imports import waiting as waiting_imports

IMPORT = ["messaging.add_contactimport", "messaging.add_contact", "messaging.change_contact"]
UNDO = "messaging.undo_contactimport"
LOOK_AT_IMPORT = ["messaging.view_contactimport", "messaging.view_contact"]


class ImportsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": LOOK_AT_IMPORT, "POST": [*LOOK_AT_IMPORT, *IMPORT]}
    parser_classes = [MultiPartParser]
    takes_file = True

    @extend_schema(operation_id="imports_list", parameters=[shapes.ImportQuery], responses=page_of(shapes.ImportListed))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(shapes.ImportQuery, request.query_params.dict())
        rows = ContactImport.objects.all()
        rows = narrowed(rows, query, state="state")
        return Response(page(rows, query, documents.listed_import))

    @extend_schema(
        parameters=[KEY], request={"multipart/form-data": shapes.ImportRequest}, responses={201: shapes.Import}
    )
    def post(self, request: Any) -> Response:
        """Upload a file of contacts. Nothing is imported before …/start; the console counts what that would do."""
        files.require_room(request)
        asked = self.read(shapes.ImportRequest)
        if "group" in asked and "new_group" in asked:
            said = _("Give either “group”, an existing one, or “new_group”, which is made.")
            raise problems.at("new_group", said)
        region = lookups.region(asked.get("region", ""))

        def store(job: ContactImport) -> Answer:
            group = lookups.group(asked["group"]) if "group" in asked else None
            return Answer(201, {"id": import_files.store(job, group=group, new_group=asked.get("new_group", "")).pk})

        return _import(
            uploads.stored_once(
                self,
                look=lambda: import_files.look_at(asked["file"], region=region, by=request.user),
                store=store,
                forget=import_files.forget_unstored,
            )
        )


def _import(answer: Answer) -> Response:
    return Response(documents.contact_import(_job(answer.body["id"])), answer.status)


def _job(pk: int) -> ContactImport:
    return row(ContactImport.objects.select_related("group"), pk)


class ImportView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": LOOK_AT_IMPORT}
    has_etag = True

    @extend_schema(responses=shapes.Import)
    def get(self, request: Any, pk: int) -> Response:
        """How the file is read, what the import would do, how far it is and what it has done."""
        return Response(documents.contact_import(_job(pk)))


class ImportReadingView(ApiView):
    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": [*LOOK_AT_IMPORT, *IMPORT]}

    @extend_schema(parameters=[KEY], request=shapes.ImportReading, responses=shapes.Import)
    def post(self, request: Any, pk: int) -> Response:
        """Say what the columns mean, and in which encoding or sheet they are; the forecast is counted again."""
        asked = self.read(shapes.ImportReading)
        if "region" in asked:
            asked["region"] = lookups.region(asked["region"])
        _job(pk)
        # Not in one transaction: looking at the file may take seconds, and repeating it changes nothing.
        return _import(self.once(lambda: _read_otherwise(pk, asked), in_one=False))


def _read_otherwise(pk: int, asked: dict[str, Any]) -> Answer:
    waiting_imports.read_otherwise(pk, asked)
    return Answer(200, {"id": pk})


class ImportStartView(ApiView):
    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": [*LOOK_AT_IMPORT, *IMPORT]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.ImportStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Import the file as it is read. An import that was started already stays as it is."""
        _job(pk)
        answer = self.once(lambda: _start(pk))
        return Response(answer.body, answer.status)


def _start(pk: int) -> Answer:
    waiting_imports.start_as_read(pk)
    return _import_standing(pk)


def _import_standing(pk: int) -> Answer:
    return Answer(200, {"id": pk, "state": ContactImport.objects.values_list("state", flat=True).get(pk=pk)})


class ImportCancelView(ApiView):
    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": [*LOOK_AT_IMPORT, "messaging.add_contactimport"]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.ImportStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Stop an import: contacts that were imported stay. An import that is over stays as it is."""
        _job(pk)

        def work() -> Answer:
            imports.cancel(pk)
            return _import_standing(pk)

        answer = self.once(work)
        return Response(answer.body, answer.status)


class BadRowsView(ApiView):
    """The rows as they came: nothing in them can be masked, so it takes the right to see numbers."""

    scopes = {"GET": Scope.READ}
    rights = {"GET": [*LOOK_AT_IMPORT, SEE]}

    @extend_schema(operation_id="imports_bad_rows_list", parameters=[ListQuery], responses=page_of(shapes.BadRow))
    def get(self, request: Any, pk: int) -> Response:
        """The first thousand rows that are not contacts, and why; …/bad-rows/file has all of them."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(_job(pk).bad_rows.all(), query, documents.bad_row, rising=True))


class BadRowsFileView(ApiView):
    scopes = {"GET": Scope.EXPORTS}
    rights = {"GET": [*LOOK_AT_IMPORT, *exporting.rights(Contact), SEE]}

    @extend_schema(responses=DOWNLOADED)
    def get(self, request: Any, pk: int) -> StreamingHttpResponse:
        """All rows that are not contacts, in the file's own columns, to be corrected and imported again."""
        job = _job(pk)
        if not bad_rows.are_there(job):
            raise Problem(404, _("There is no file of bad rows: every row was good, or its week is over."))
        name, kind = f"bad-rows-{job.pk}", bad_rows.kind_of(job)
        return exports.attached(bad_rows.content(job), kind, name, job.file_name, job.invalid)


class ImportUndoView(ApiView):
    """The contacts that would go are counted first; nothing is taken back before …/undo/confirm."""

    scopes = {"GET": Scope.READ, "POST": Scope.CONTACTS}
    rights = {"GET": [*LOOK_AT_IMPORT, UNDO], "POST": [*LOOK_AT_IMPORT, UNDO]}
    has_etag = True

    @extend_schema(responses=shapes.ImportUndo)
    def get(self, request: Any, pk: int) -> Response:
        """Which contacts would go and which stay, or how far the import has been taken back."""
        return Response(documents.import_undo(_undo(pk)))

    @extend_schema(parameters=[KEY], request=None, responses={202: shapes.ImportUndo})
    def post(self, request: Any, pk: int) -> Response:
        """Count what taking an import back would do. Nothing is taken back by this, and an existing count stays."""
        job = _job(pk)

        def work() -> Answer:
            undo = import_undo.of(job)
            if undo is None or undo.state not in import_undo.CONFIRMED:
                import_undo.require_trace(job)
                import_undo.look(pk, by=request.user)
            return Answer(202, {"id": pk})

        return _undo_answer(self.once(work))


def _undo(pk: int) -> ImportUndo:
    undo = import_undo.of(_job(pk))
    if undo is None:
        raise Problem(404, _("Nobody has asked to take this import back. POST to …/undo counts what that would do."))
    return undo


def _undo_answer(answer: Answer) -> Response:
    return Response(documents.import_undo(_undo(answer.body["id"])), answer.status)


class UndoConfirmView(ApiView):
    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": [*LOOK_AT_IMPORT, UNDO]}

    @extend_schema(parameters=[KEY], request=None, responses={202: shapes.ImportUndo})
    def post(self, request: Any, pk: int) -> Response:
        """Take back what was counted. It is done once, and each contact is checked again before it goes."""

        def work() -> Answer:
            if not import_undo.confirm(pk, by=request.user) and _undo(pk).state not in import_undo.CONFIRMED:
                raise Problem(409, _("It was not counted to its end. Wait until its “state” is “ready”."))
            return Answer(202, {"id": pk})

        if import_undo.of(_job(pk)) is None:
            raise Problem(409, _("Nothing was counted that could be taken back. POST to …/undo first."))
        return _undo_answer(self.once(work))


class UndoKeepView(ApiView):
    scopes = {"POST": Scope.CONTACTS}
    rights = {"POST": [*LOOK_AT_IMPORT, UNDO]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.ImportStanding)
    def post(self, request: Any, pk: int) -> Response:
        """Keep the import and drop the count. If taking it back was confirmed already, that goes on."""
        _job(pk)

        def work() -> Answer:
            import_undo.give_up(pk)
            return _import_standing(pk)

        answer = self.once(work)
        return Response(answer.body, answer.status)

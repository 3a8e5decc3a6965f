"""MMS: drafts of campaigns, which are checked, launched, paused and resumed as others are, and their attachments."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from laaffic_console.api.campaigns.channels import mms
from laaffic_console.api.campaigns.shapes import WholeCampaign
from laaffic_console.api.campaigns.views import ADD, NAMES, VIEW, drafted
from laaffic_console.api.handling import files
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.mms import documents, shapes
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.gateway.models import Channel
from laaffic_console.laaffic.mms import MAX_FILE
from messaging.models import MmsAttachment
from messaging.services.mms import attachments
from messaging.services.mms.attachments import UploadFailed, UploadUnknown
from messaging.services.mms.mms_channel import MmsOptions

LOOK, ADD_FILE = "messaging.view_mmsattachment", "messaging.add_mmsattachment"


class MmsView(ApiView):
    names = {**NAMES, **mms.FIELDS}
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, ADD, LOOK]}

    @extend_schema(parameters=[KEY], request=mms.MmsRequest, responses={201: WholeCampaign})
    def post(self, request: Any) -> Response:
        """Make a draft of an MMS campaign. Nothing is sent before it is launched.

        Send a key: repeated without one, it makes another draft.
        """
        asked = self.read(mms.MmsRequest)
        options = MmsOptions(**mms.options_of(asked)).as_json()
        answer = self.once(
            lambda: drafted(asked, request.user, channel=Channel.MMS, channel_options=options, sender_id="")
        )
        return Response(answer.body, answer.status)


def _rows() -> Any:
    return MmsAttachment.objects.defer("content", "thumbnail")


class AttachmentsView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.CAMPAIGNS}
    rights = {"GET": [LOOK], "POST": [LOOK, ADD_FILE]}
    parser_classes = [MultiPartParser]
    takes_file = True

    @extend_schema(operation_id="attachments_list", parameters=[ListQuery], responses=page_of(shapes.Attachment))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(_rows(), query, documents.attachment))

    @extend_schema(
        parameters=[KEY],
        request={"multipart/form-data": shapes.AttachmentRequest},
        responses={200: shapes.Attachment, 201: shapes.Attachment},
    )
    def post(self, request: Any) -> Response:
        """Keep a file in the library; 200 if it has the same content already. …/upload gives it to Laaffic."""
        files.require_room(request)
        file = self.read(shapes.AttachmentRequest)["file"]
        data, name = files.content(file, MAX_FILE)

        def work() -> Answer:
            kept, is_new = attachments.add(data, name, size=file.size, by=request.user)
            return Answer(201 if is_new else 200, {"id": kept.pk})

        answer = self.once(work)
        return Response(documents.attachment(row(_rows(), answer.body["id"])), answer.status)


class AttachmentView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.CAMPAIGNS, "DELETE": Scope.CAMPAIGNS}
    rights = {"GET": [LOOK], "PATCH": [LOOK, ADD_FILE], "DELETE": [LOOK, "messaging.delete_mmsattachment"]}
    has_etag = True

    @extend_schema(responses=shapes.Attachment)
    def get(self, request: Any, pk: int) -> Response:
        """Whether Laaffic has the file, and until when."""
        return Response(documents.attachment(row(_rows(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.AttachmentChange, responses=shapes.Attachment)
    def patch(self, request: Any, pk: int) -> Response:
        """Archive a file, so that it is no longer offered, or offer it again."""
        is_archived = self.read(shapes.AttachmentChange)["is_archived"]

        def work() -> Answer:
            attachments.archive(row(_rows(), pk).pk, is_archived=is_archived)
            return Answer(200, {"id": pk})

        answer = self.once(work)
        return Response(documents.attachment(row(_rows(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a file that no campaign refers to."""

        def work() -> Answer:
            attachments.discard(row(_rows(), pk).pk)
            return Answer(204, {})

        return Response(status=self.once_stepped(work, lambda: Answer(204, {})).status)


class AttachmentUploadView(ApiView):
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [LOOK, "messaging.upload_mmsattachment"]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.Attachment)
    def post(self, request: Any, pk: int) -> Response:
        """Give a file to Laaffic for three days, as a launched campaign does by itself. One that is there stays."""
        found = row(_rows(), pk)
        if not found.is_live:
            self.once_sent(lambda: _upload(pk, request.user), status=200)
        return Response(documents.attachment(row(_rows(), pk)))


def _upload(pk: int, by: Any) -> Answer:
    try:
        attachments.upload(pk, by=by)
    except UploadUnknown as problem:
        raise Problem(503, str(problem), retry_after=60) from problem
    except UploadFailed as problem:
        raise Problem(409, str(problem)) from problem
    return Answer(200, {"id": pk})

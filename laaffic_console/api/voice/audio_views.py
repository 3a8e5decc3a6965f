"""The audio library, by the same services as on its pages."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from laaffic_console.api.handling import files
from laaffic_console.api.handling.changing import locked
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import IF_MATCH, KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.api.voice import documents, shapes
from voice.models import AudioFile
from voice.services.audio import elsewhere as audio_elsewhere
from voice.services.audio import uploads
from voice.services.audio.uploads import UploadFailed, UploadUnknown

LOOK_AT_AUDIO, ADD, DELETE = "voice.view_audiofile", "voice.add_audiofile", "voice.delete_audiofile"


def _audio() -> Any:
    return AudioFile.objects.defer("content")


class AudioFilesView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": [LOOK_AT_AUDIO], "POST": [LOOK_AT_AUDIO, ADD]}
    parser_classes = [MultiPartParser]
    takes_file = True

    @extend_schema(operation_id="audio_files_list", parameters=[ListQuery], responses=page_of(shapes.Audio))
    def get(self, request: Any) -> Response:
        """The newest first."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(_audio(), query, documents.audio))

    @extend_schema(
        parameters=[KEY],
        request={"multipart/form-data": shapes.AudioRequest},
        responses={200: shapes.Audio, 201: shapes.Audio},
    )
    def post(self, request: Any) -> Response:
        """Keep a file in the library; 200 if it has the same content already. …/upload gives it to Laaffic."""
        files.require_room(request)
        asked = self.read(shapes.AudioRequest)
        file = asked["file"]

        def work() -> Answer:
            name = asked.get("name") or uploads.suggested_name(str(file.name))
            kept, is_new = uploads.add(uploads.read(file), name, by=request.user)
            return Answer(201 if is_new else 200, {"id": kept.pk})

        answer = self.once(work)
        return Response(documents.audio(row(_audio(), answer.body["id"])), answer.status)


class AudioFileView(ApiView):
    scopes = {"GET": Scope.READ, "PATCH": Scope.VOICE, "DELETE": Scope.VOICE}
    rights = {"GET": [LOOK_AT_AUDIO], "PATCH": [LOOK_AT_AUDIO, ADD], "DELETE": [LOOK_AT_AUDIO, DELETE]}
    has_etag = True

    @extend_schema(responses=shapes.Audio)
    def get(self, request: Any, pk: int) -> Response:
        """The length of a file and its id at Laaffic."""
        return Response(documents.audio(row(_audio(), pk)))

    @extend_schema(parameters=[KEY, IF_MATCH], request=shapes.AudioChange, responses=shapes.Audio)
    def patch(self, request: Any, pk: int) -> Response:
        """Rename a file while Laaffic cannot have it yet, or archive it: then it is no longer offered."""
        asked = self.read(shapes.AudioChange)
        answer = self.once(lambda: _changed(locked(self, _audio(), pk, documents.audio), asked))
        return Response(documents.audio(row(_audio(), pk)), answer.status)

    @extend_schema(parameters=[KEY, IF_MATCH], request=None, responses={204: None})
    def delete(self, request: Any, pk: int) -> Response:
        """Delete a file that Laaffic surely does not have."""

        def work() -> Answer:
            row(_audio(), pk)
            uploads.discard(pk)
            return Answer(204, {})

        return Response(status=self.once_stepped(work, lambda: Answer(204, {})).status)


def _changed(file: AudioFile, asked: dict[str, Any]) -> Answer:
    if asked.get("name", file.name) != file.name:
        uploads.rename(file, asked["name"])
    if "is_archived" in asked:
        uploads.archive(file.pk, is_archived=asked["is_archived"])
    return Answer(200, {"id": file.pk})


class ElsewhereView(ApiView):
    names = {"name": "file_id"}
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": [LOOK_AT_AUDIO, ADD], "POST": [LOOK_AT_AUDIO, ADD]}

    @extend_schema(operation_id="audio_files_elsewhere", responses=shapes.Elsewhere)
    def get(self, request: Any) -> Response:
        """Files that Laaffic has and the library does not: Laaffic's list is read while you wait."""
        found = audio_elsewhere.listed()
        return Response({"files": [documents.elsewhere(one) for one in found]})

    @extend_schema(
        operation_id="audio_files_take", parameters=[KEY], request=shapes.TakeRequest, responses={201: shapes.Audio}
    )
    def post(self, request: Any) -> Response:
        """Take one of these files into the library by its id. A file that is there already stays as it is."""
        file_id = self.read(shapes.TakeRequest)["file_id"]
        answer = self.once(lambda: Answer(201, {"id": audio_elsewhere.take(file_id, by=request.user).pk}), in_one=False)
        return Response(documents.audio(row(_audio(), answer.body["id"])), answer.status)


class AudioUploadView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [LOOK_AT_AUDIO, "voice.upload_audiofile"]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.Audio)
    def post(self, request: Any, pk: int) -> Response:
        """Give a file to Laaffic, so that calls can play it. A file that Laaffic has is left as it is."""
        if not row(_audio(), pk).is_at_laaffic:
            self.once_sent(lambda: _upload(pk, request.user), status=200)
        return Response(documents.audio(row(_audio(), pk)))


def _upload(pk: int, by: Any) -> Answer:
    try:
        uploads.upload(pk, by=by)
    except UploadUnknown as problem:
        raise Problem(503, str(problem), retry_after=60) from problem
    except UploadFailed as problem:
        raise Problem(409, str(problem)) from problem
    return Answer(200, {"id": pk})

"""Calls from SIP phones, audio files and spoken messages, by the same services as on their pages."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from laaffic_console.api import files
from laaffic_console.api.campaigns.shapes import WholeCampaign
from laaffic_console.api.campaigns.views import ADD, NAMES, VIEW, drafted
from laaffic_console.api.filters import narrowed
from laaffic_console.api.idempotency import Answer
from laaffic_console.api.message_views import KEY
from laaffic_console.api.models import Scope
from laaffic_console.api.problems import Problem
from laaffic_console.api.shapes import page_of
from laaffic_console.api.views import ApiView, ListQuery, page, row
from laaffic_console.api.voice import documents, shapes, spoken
from laaffic_console.gateway.models import Channel, EntryState
from laaffic_console.laaffic import Spoken
from voice.models import AudioFile, CallRecord, SipCall, SipPhone
from voice.services.audio import uploads as audio
from voice.services.audio.uploads import UploadFailed, UploadUnknown
from voice.services.calls import sip_calls as calls
from voice.services.phones import sip_phones as phones
from voice.services.spoken.options import TtsOptions

LOOK_AT_AUDIO = "voice.view_audiofile"


class SpokenView(ApiView):
    names = {**NAMES, **spoken.FIELDS}
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, ADD]}

    @extend_schema(parameters=[KEY], request=shapes.SpokenRequest, responses={201: WholeCampaign})
    def post(self, request: Any) -> Response:
        """A draft of a spoken message. Nobody is called before it is launched, as other campaigns are."""
        asked = self.read(shapes.SpokenRequest)
        given = spoken.options_of(asked)
        options = TtsOptions(display_number=given.pop("display_number"), spoken=Spoken(text="", **given)).as_json()
        answer = self.once(
            lambda: drafted(asked, request.user, channel=Channel.VOICE, channel_options=options, sender_id="")
        )
        return Response(answer.body, answer.status)


class PhonesView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["voice.view_sipphone"]}

    @extend_schema(parameters=[ListQuery], responses=page_of(shapes.Phone))
    def get(self, request: Any) -> Response:
        """SIP phones from which calls can be made."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(phones.usable(), query, documents.phone))


class CallsView(ApiView):
    names = {"callee": "number", "phone": "account"}
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": ["voice.view_sipcall"], "POST": ["voice.view_sipcall", "voice.add_sipcall"]}

    @extend_schema(operation_id="calls_list", parameters=[shapes.CallQuery], responses=page_of(shapes.Call))
    def get(self, request: Any) -> Response:
        """Calls from SIP phones, the newest first."""
        query = self.read(shapes.CallQuery, request.query_params.dict())
        rows = narrowed(_calls(), query, number="callee")
        return Response(page(rows, query, documents.call))

    @extend_schema(parameters=[KEY], request=shapes.CallRequest, responses={202: shapes.Call})
    def post(self, request: Any) -> Response:
        """Ring a SIP phone, and the number when it is taken up. “state” unknown: the answer was lost, look later."""
        asked = self.read(shapes.CallRequest)

        def work() -> Answer:
            made = calls.place(
                phone=_phone(asked),
                callee=asked["number"],
                display_number=asked["display_number"],
                again=asked["again"],
                by=request.user,
            )
            if made.entry is not None and made.entry.state in (EntryState.REFUSED, EntryState.NOT_SENT):
                raise Problem(409, str(calls.advice(made)), call=made.pk)
            return Answer(202, {"id": made.pk})

        answer = self.once_sent(work, status=202)
        return Response(documents.call(row(_calls(), answer.body["id"])), answer.status)


def _calls() -> Any:
    return SipCall.objects.select_related("application", "entry")


def _phone(asked: dict[str, Any]) -> SipPhone:
    found = phones.usable().filter(account=asked["account"])
    if "application" in asked:
        found = found.filter(application__app_id=asked["application"])
    listed = list(found[:2])
    if not listed:
        said = _("Unknown SIP phone %(account)s. Look at GET /sip-phones, or run: manage.py voice sync")
        raise Problem(400, said % {"account": asked["account"]})
    if len(listed) > 1:
        said = _("Two applications have a phone %(account)s. Name one in “application”.")
        raise Problem(400, said % {"account": asked["account"]})
    return listed[0]


class CallView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["voice.view_sipcall"]}
    has_etag = True

    @extend_schema(responses=shapes.Call)
    def get(self, request: Any, pk: int) -> Response:
        """What became of it; “record” names what Laaffic says of it afterwards."""
        return Response(documents.call(row(_calls(), pk)))


class RecordsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["voice.view_callrecord"]}

    @extend_schema(operation_id="call_records_list", parameters=[shapes.RecordQuery], responses=page_of(shapes.Record))
    def get(self, request: Any) -> Response:
        """Calls that have ended, of every kind, the newest first."""
        query = self.read(shapes.RecordQuery, request.query_params.dict())
        rows = narrowed(CallRecord.objects.all(), query, number="callee", outcome="outcome", kind="kind")
        return Response(page(rows, query, documents.record))


class RecordView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["voice.view_callrecord"]}
    has_etag = True

    @extend_schema(responses=shapes.Record)
    def get(self, request: Any, pk: int) -> Response:
        """How a call ended, how long it was and what it cost."""
        return Response(documents.record(row(CallRecord.objects.all(), pk)))


def _audio() -> Any:
    return AudioFile.objects.defer("content")


class AudioFilesView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": [LOOK_AT_AUDIO], "POST": [LOOK_AT_AUDIO, "voice.add_audiofile"]}
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
        """Keep a file in the library; 200 where the same content is there already. …/upload gives it to Laaffic."""
        files.require_room(request)
        asked = self.read(shapes.AudioRequest)
        data, name = files.content(asked["file"], settings.AUDIO_MAX_BYTES)

        def work() -> Answer:
            kept, is_new = audio.add(data, asked.get("name") or audio.suggested_name(name), by=request.user)
            return Answer(201 if is_new else 200, {"id": kept.pk})

        answer = self.once(work)
        return Response(documents.audio(row(_audio(), answer.body["id"])), answer.status)


class AudioFileView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": [LOOK_AT_AUDIO]}
    has_etag = True

    @extend_schema(responses=shapes.Audio)
    def get(self, request: Any, pk: int) -> Response:
        """How long it is, and its id at Laaffic."""
        return Response(documents.audio(row(_audio(), pk)))


class AudioUploadView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [LOOK_AT_AUDIO, "voice.upload_audiofile"]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.Audio)
    def post(self, request: Any, pk: int) -> Response:
        """Give it to Laaffic, so that calls can play it. What is there is left as it is."""
        if not row(_audio(), pk).is_at_laaffic:
            self.once_sent(lambda: _upload(pk, request.user), status=200)
        return Response(documents.audio(row(_audio(), pk)))


def _upload(pk: int, by: Any) -> Answer:
    try:
        audio.upload(pk, by=by)
    except UploadUnknown as problem:
        raise Problem(503, str(problem), retry_after=60) from problem
    except UploadFailed as problem:
        raise Problem(409, str(problem)) from problem
    return Answer(200, {"id": pk})

"""Calls from SIP phones, audio files and spoken messages, by the same services as on their pages."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.campaigns.channels import spoken
from laaffic_console.api.campaigns.shapes import WholeCampaign
from laaffic_console.api.campaigns.views import ADD, NAMES, VIEW, drafted
from laaffic_console.api.handling import lookups, problems
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.api.voice import documents, shapes
from laaffic_console.gateway.models import Channel, EntryState
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.laaffic import Spoken
from laaffic_console.laaffic.codes import WRONG_VALUES
from voice.models import CallRecord, GroupTask, SipCall, SipPhone
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import figures as group_figures
from voice.services.phones import sip_phones as phones
from voice.services.spoken.options import TtsOptions

LOOK_AT_AUDIO = "voice.view_audiofile"


class SpokenView(ApiView):
    names = {**NAMES, **spoken.FIELDS}
    scopes = {"POST": Scope.CAMPAIGNS}
    rights = {"POST": [VIEW, ADD]}

    @extend_schema(parameters=[KEY], request=spoken.SpokenRequest, responses={201: WholeCampaign})
    def post(self, request: Any) -> Response:
        """Make a draft of a spoken message. Nobody is called before it is launched, as any other campaign is.

        Send a key: repeated without one, it makes another draft.
        """
        asked = self.read(spoken.SpokenRequest)
        given = spoken.options_of(asked)
        options = TtsOptions(display_number=given.pop("display_number"), spoken=Spoken(text="", **given)).as_json()
        answer = self.once(
            lambda: drafted(asked, request.user, channel=Channel.VOICE, channel_options=options, sender_id="")
        )
        return Response(answer.body, answer.status)


class CallsView(ApiView):
    names = {"callee": "number", "phone": "account"}
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": ["voice.view_sipcall"], "POST": ["voice.view_sipcall", "voice.add_sipcall"]}

    @extend_schema(operation_id="calls_list", parameters=[shapes.CallQuery], responses=page_of(shapes.Call))
    def get(self, request: Any) -> Response:
        """Calls from SIP phones, the newest first."""
        query = self.read(shapes.CallQuery, request.query_params.dict())
        rows = narrowed(made_calls(), query, number="callee")
        return Response(page(rows, query, documents.call))

    @extend_schema(parameters=[KEY], request=shapes.CallRequest, responses={202: shapes.Call})
    def post(self, request: Any) -> Response:
        """Ring a SIP phone, and then the number when the phone is answered. If “state” is unknown, look later."""
        asked = self.read(shapes.CallRequest)

        def work() -> Answer:
            placed = calls.place(
                phone=_phone(asked),
                callee=asked["number"],
                display_number=asked["display_number"],
                again=asked["again"],
                by=request.user,
            )
            _refuse_wrong(placed)
            return made(placed)

        answer = self.once_sent(work, status=202)
        return Response(documents.call(row(made_calls(), answer.body["id"])), answer.status)


def _refuse_wrong(call: SipCall) -> None:
    """Raise Problem if Laaffic says that the request itself is wrong: the same one would be refused again."""
    entry = call.entry
    if entry is not None and entry.state == EntryState.REFUSED and entry.code in WRONG_VALUES:
        raise Problem(400, in_text(calls.advice(call)), call=call.pk)


def made(call: SipCall) -> Answer:
    """The answer about a call that was made; Problem if it surely rang nowhere."""
    if call.entry is not None and call.entry.state in (EntryState.REFUSED, EntryState.NOT_SENT):
        raise Problem(409, str(calls.advice(call)), call=call.pk)
    return Answer(202, {"id": call.pk})


def made_calls() -> Any:
    return SipCall.objects.select_related("application", "entry")


def _phone(asked: dict[str, Any]) -> SipPhone:
    found = phones.usable().filter(account=asked["account"])
    if "application" in asked:
        found = found.filter(application=lookups.application(asked["application"], Channel.VOICE))
    listed = list(found[:2])
    if not listed:
        said = _("Unknown SIP phone %(account)s. Look at GET /sip-phones, or run: manage.py voice sync")
        raise problems.at("account", said % {"account": asked["account"]})
    if len(listed) > 1:
        said = _("Two applications have a phone %(account)s. Name one in “application”.")
        raise problems.at("application", said % {"account": asked["account"]})
    return listed[0]


class CallView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["voice.view_sipcall"]}
    has_etag = True

    @extend_schema(responses=shapes.Call)
    def get(self, request: Any, pk: int) -> Response:
        """The state of a call; “record” names what Laaffic says about it afterwards."""
        return Response(documents.call(row(made_calls(), pk)))


class RecordsView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["voice.view_callrecord"]}

    @extend_schema(operation_id="call_records_list", parameters=[shapes.RecordQuery], responses=page_of(shapes.Record))
    def get(self, request: Any) -> Response:
        """Calls that have ended, of every kind, the newest first."""
        query = self.read(shapes.RecordQuery, request.query_params.dict())
        rows = narrowed(CallRecord.objects.all(), query, number="callee", outcome="outcome", kind="kind")
        if "group_call" in query:
            task = row(GroupTask.objects.all(), query["group_call"])
            rows &= group_figures.records_of(task)
        return Response(page(rows, query, documents.record))


class RecordView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["voice.view_callrecord"]}
    has_etag = True

    @extend_schema(responses=shapes.Record)
    def get(self, request: Any, pk: int) -> Response:
        """How a call ended, how long it was and what it cost."""
        return Response(documents.record(row(CallRecord.objects.all(), pk)))

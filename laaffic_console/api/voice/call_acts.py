"""What is done about calls that were made: tried again, asked about, settled by a person's word."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.api.models import Scope
from laaffic_console.api.voice import documents, shapes
from laaffic_console.api.voice.views import made, made_calls
from laaffic_console.gateway.models import EntryState
from voice.models import CallRecord, SipCall
from voice.services.asking import lookups
from voice.services.asking.lookups import AskFailed
from voice.services.calls import sip_calls as calls
from voice.services.records import cost_words

LOOK, ADD = "voice.view_sipcall", "voice.add_sipcall"
LOOK_AT_RECORDS, ASK, RESOLVE = "voice.view_callrecord", "voice.change_callrecord", "voice.resolve_callrecord"
WORDS = {
    "rang": (calls.it_rang, EntryState.ACCEPTED),
    "did_not_ring": (calls.did_not_ring, EntryState.NOT_SENT),
}


class CallAgainView(ApiView):
    names = {"callee": "number"}
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [LOOK, ADD]}

    @extend_schema(parameters=[KEY], request=shapes.TryAgainRequest, responses={202: shapes.Call})
    def post(self, request: Any, pk: int) -> Response:
        """Make a call again that surely rang nowhere. For any other, POST /calls makes a new one."""
        again = self.read(shapes.TryAgainRequest)["again"]
        row(made_calls(), pk)
        answer = self.once_sent(lambda: made(calls.try_again(pk, again=again, by=request.user)), status=202)
        return Response(documents.call(row(made_calls(), pk)), answer.status)


class AskCallView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [LOOK, ASK]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.Call)
    def post(self, request: Any, pk: int) -> Response:
        """Ask Laaffic for the record of this call, and keep it."""

        def work() -> Answer:
            _ask(lookups.about_call, row(made_calls(), pk))
            return Answer(200, {"id": pk})

        answer = self.once(work, in_one=False)
        return Response(documents.call(row(made_calls(), pk)), answer.status)


def _ask(about: Any, one: Any) -> None:
    try:
        about(one)
    except AskFailed as problem:
        raise Problem(409, str(problem)) from problem


class LostCallView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": [LOOK], "POST": [LOOK, ADD]}

    @extend_schema(responses=shapes.LostCall)
    def get(self, request: Any, pk: int) -> Response:
        """The attempts at a call, with the evidence for each."""
        return Response(documents.lost_call(row(made_calls(), pk)))

    @extend_schema(parameters=[KEY], request=shapes.CallWordRequest, responses=shapes.Call)
    def post(self, request: Any, pk: int) -> Response:
        """Say what you know of a call whose answer was lost: it rang, or it did not and can be tried again."""
        asked = self.read(shapes.CallWordRequest)
        answer = self.once(lambda: _settled(row(made_calls(), pk), asked, request.user))
        return Response(documents.call(row(made_calls(), pk)), answer.status)


def _settled(call: SipCall, asked: dict[str, Any], by: Any) -> Answer:
    settle, leads_to = WORDS[asked["word"]]
    is_there = call.entry is not None and (call.entry.state, call.entry_id) == (leads_to, asked["seen"])
    if not is_there:
        settle(call.pk, why=asked["reason"], by=by, seen=asked["seen"])
    return Answer(200, {"id": call.pk})


class AskRecordView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [LOOK_AT_RECORDS, ASK]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.Record)
    def post(self, request: Any, pk: int) -> Response:
        """Ask Laaffic for this call's record again: whatever is better or new is kept."""

        def work() -> Answer:
            _ask(lookups.about_record, row(CallRecord.objects.all(), pk))
            return Answer(200, {"id": pk})

        answer = self.once(work, in_one=False)
        return Response(documents.record(row(CallRecord.objects.all(), pk)), answer.status)


class CostView(ApiView):
    scopes = {"POST": Scope.APPROVE}
    rights = {"POST": [LOOK_AT_RECORDS, RESOLVE]}

    @extend_schema(parameters=[KEY], request=shapes.CostRequest, responses=shapes.Record)
    def post(self, request: Any, pk: int) -> Response:
        """Decide whether a cost that cannot be right is counted anyway, and say how you know it."""
        asked = self.read(shapes.CostRequest)

        def work() -> Answer:
            row(CallRecord.objects.all(), pk)
            cost_words.decide(pk, take=asked["take"], why=asked["reason"], by=request.user)
            return Answer(200, {"id": pk})

        answer = self.once(work)
        return Response(documents.record(row(CallRecord.objects.all(), pk)), answer.status)

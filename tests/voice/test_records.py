"""Call records by push and by job: one row a call, whichever comes first, and never worse than before."""

import datetime as dt
import itertools
import json
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from django_q.exceptions import TimeoutException

from laaffic_console.gateway.models import Application, OrphanReport, PushedBody, Trouble
from laaffic_console.laaffic import Source, parse_voice_reports
from laaffic_console.laaffic.pages import Page
from laaffic_console.laaffic.voice import VoiceApi
from laaffic_console.sandbox.testing import RunningSandbox
from voice.models import CallRecord, CallTally, GroupTask, SipCall, SipPhone, VoiceSync
from voice.services.asking import records_pulls, scheduling
from voice.services.calls import sip_calls as calls
from voice.services.records import call_records, pushes
from voice.services.syncing import SyncFailed

pytestmark = pytest.mark.django_db(transaction=True)

PUSHED = {
    "voiceId": "v1",
    "type": 3,
    "callee": "919876500000",
    "callTime": 1763900000000,
    "callDuration": 12,
    "chargedDuration": 60,
    "terminationCode": "200",
    "terminationReason": "OK",
    "feedbackValue": "3",
    "cost": "0.02",
    "callStatus": 50,
}


def pushed(**changed: Any) -> Any:
    return parse_voice_reports(PUSHED | changed).calls[0]


def figures() -> tuple[Any, ...]:
    total = CallTally.objects.aggregate(Sum("calls"), Sum("seconds"), Sum("charged"), Sum("cost_micros"))
    return tuple(total.values())


class TakingTests:
    def test_a_call_is_one_row_however_often_it_is_told(self) -> None:
        for _ in range(3):
            call_records.take([pushed(), pushed()], Source.VOICE_PUSH)

        row = CallRecord.objects.get()
        assert (row.outcome, row.key_pressed, row.money, row.duration) == ("answered", "3", "0.02 USD", 12)
        assert figures() == (1, 12, 60, 20000)

    def test_any_order_ends_the_same_and_nothing_is_lost(self) -> None:
        told = [
            pushed(),
            pushed(terminationCode="486", callStatus=10, cost=None, callDuration=0, feedbackValue="-1"),
            pushed(callStatus=None, terminationCode="0", recordingFileId="r1", type=None),
        ]
        ends = set()
        for order in itertools.permutations(told):
            CallRecord.objects.all().delete()
            CallTally.objects.all().delete()
            for record in order:
                call_records.take([record], Source.VOICE_PUSH)
            row = CallRecord.objects.get()
            ends.add(
                (row.outcome, row.termination_code, row.duration, row.cost, row.key_pressed, row.recording_id, row.kind)
            )
            assert figures() == (1, 12, 60, 20000)
        assert len(ends) == 1
        assert ends.pop()[:3] == ("answered", "200", 12)

    def test_what_laaffics_own_record_says_that_a_call_cost_counts_in_any_order(self) -> None:
        told = [
            (pushed(cost="9.50", currency="EUR", callStatus=None, hangUpTime=1763900060000), Source.VOICE_PUSH),
            (pushed(cost="0.05"), Source.VOICE_RECORD),
            (pushed(cost=None), Source.VOICE_RECORD),
        ]
        for order in itertools.permutations(told):
            CallRecord.objects.all().delete()
            CallTally.objects.all().delete()
            for record, source in order:
                call_records.take([record], source)

            row = CallRecord.objects.get()
            assert (row.cost, row.currency, row.source) == (Decimal("0.05"), "USD", CallRecord.Source.RECORD)
            assert figures() == (1, 12, 60, 50000)
            assert CallTally.objects.get(calls=1).currency == "USD"

    def test_a_number_that_is_told_later_is_filled_in_whichever_comes_first(self) -> None:
        told = [pushed(callee="", callStatus=None), pushed()]
        for order in (told, told[::-1]):
            CallRecord.objects.all().delete()
            for record in order:
                call_records.take([record], Source.VOICE_PUSH)
            assert CallRecord.objects.get().callee == "919876500000"

    def test_a_currency_without_a_cost_is_nobody_elses(self) -> None:
        told = [pushed(callStatus=None, cost="5"), pushed(cost=None, currency="EUR")]
        for order in (told, told[::-1]):
            CallRecord.objects.all().delete()
            CallTally.objects.all().delete()
            for record in order:
                call_records.take([record], Source.VOICE_PUSH)
            row = CallRecord.objects.get()
            assert (row.cost, row.currency, row.call_status) == (5, "USD", 50)
            assert CallTally.objects.get(calls=1).currency == "USD"

    def test_one_that_cannot_be_kept_is_shown_and_costs_the_others_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = [pushed(voiceId=f"v{n}") for n in range(5)]
        take = call_records.take

        def broken_for_one(found: Sequence[Any], *more: Any, **given: Any) -> list[bool]:
            if any(record.voice_id == "v3" for record in found):
                raise ValueError("a field that nobody expected")
            return take(found, *more, **given)

        monkeypatch.setattr(call_records, "take", broken_for_one)

        call_records.take_each(told, Source.VOICE_RECORD)

        assert sorted(CallRecord.objects.values_list("voice_id", flat=True)) == ["v0", "v1", "v2", "v4"]
        assert figures()[0] == 4
        assert Trouble.objects.get().name == "call record v3"

    def test_both_codes_are_answers(self) -> None:
        told = [pushed(voiceId=code, terminationCode=code, callStatus=None) for code in ("0", "200", "486")]
        call_records.take(told, Source.VOICE_PUSH)

        assert dict(CallRecord.objects.values_list("voice_id", "outcome")) == {
            "0": "answered",
            "200": "answered",
            "486": "busy",
        }


class PushTests:
    @pytest.mark.parametrize("shape", ["single", "list", "array"])
    def test_each_shape_is_taken_through_the_inbox(self, client: Client, settings: LazySettings, shape: str) -> None:
        settings.LAAFFIC_PUSH_TOKENS = ["token"]
        body = {"single": PUSHED, "list": [PUSHED], "array": {"array": [PUSHED]}}[shape]

        answer = client.post("/hooks/token/voice-report/", json.dumps(body), content_type="application/json")
        pushes.INBOX.apply_waiting()

        assert answer.json() == {"status": "0", "reason": "success"}
        assert CallRecord.objects.get().source == "push"
        stored = PushedBody.objects.get()
        assert (stored.entries, stored.problems, stored.applied_at is not None) == (1, [], True)

    def test_a_report_of_a_message_nobody_knows_is_kept(self, settings: LazySettings) -> None:
        settings.LAAFFIC_ORDER_PREFIX = "lc"
        body = json.dumps([PUSHED | {"calledInfo": "lc-99"}, {"no": "id"}])
        PushedBody.objects.create(kind="voice-report", body=body, received_at="2026-01-01T00:00Z")

        pushes.INBOX.apply_waiting()

        assert OrphanReport.objects.get().order_id == "lc-99"
        assert CallRecord.objects.count() == 1
        assert len(PushedBody.objects.get().problems) == 1


class PullTests:
    def test_what_was_pushed_and_is_read_again_stays_one_row(
        self, sandbox: RunningSandbox, phone: SipPhone, application: Application
    ) -> None:
        for _ in range(3):
            calls.place(phone=phone, callee="+919876500000")
            time.sleep(0.05)

        assert [scheduling.sync(records_pulls.SIP) for _ in range(2)] == [3, 3]

        assert CallRecord.objects.count() == 3 == figures()[0]
        assert scheduling.sync(records_pulls.GROUP) == 0
        assert set(CallRecord.objects.values_list("kind", flat=True)) == {3}

    def test_what_a_clock_that_was_ahead_noted_as_read_is_read(
        self, sandbox: RunningSandbox, phone: SipPhone, application: Application
    ) -> None:
        later = timezone.now() + dt.timedelta(hours=8)
        VoiceSync.objects.create(name=records_pulls.SIP, read_until=later)
        calls.place(phone=phone, callee="+919876500000")
        SipCall.objects.update(look_at=None)
        sandbox.set_faults(status="-15", status_calls=1)
        with pytest.raises(SyncFailed):
            records_pulls.sync(records_pulls.SIP)
        assert VoiceSync.objects.get(name=records_pulls.SIP).read_until is None

        VoiceSync.objects.filter(name=records_pulls.SIP).update(read_until=later)
        assert records_pulls.sync(records_pulls.SIP) == 1
        assert VoiceSync.objects.filter(name=records_pulls.SIP, read_until__lte=timezone.now()).exists()

    def test_what_was_read_before_its_process_ended_is_not_read_again(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[dt.datetime] = []

        def killed_at_the_third(*_given: Any, start: dt.datetime, **_more: Any) -> Page[Any]:
            asked.append(start)
            if len(asked) == 3:
                raise TimeoutException("Task exceeded maximum timeout value")
            return Page([], [], 0, None, 1)

        monkeypatch.setattr(VoiceApi, "group_records", killed_at_the_third)
        with pytest.raises(TimeoutException):
            records_pulls.sync(records_pulls.GROUP)

        assert VoiceSync.objects.get(name=records_pulls.GROUP).read_until == asked[2]
        records_pulls.sync(records_pulls.GROUP)
        assert asked[3] == asked[2]

    def test_those_of_group_calls_come_while_a_task_is_looked_at_that_nobody_could_start_now(
        self, application: Application
    ) -> None:
        task = GroupTask.objects.create(name="May", application=application, look_at=timezone.now())
        assert records_pulls.names() == ["sip records", "group records"]
        Application.objects.update(is_active=False)
        assert records_pulls.names() == ["group records"]

        GroupTask.objects.filter(pk=task.pk).update(look_at=None)

        assert records_pulls.names() == []


@pytest.mark.parametrize(
    ("name", "asked"), [(records_pulls.SIP, "sip_records"), (records_pulls.GROUP, "group_records")]
)
def test_a_record_that_cannot_be_read_is_told(
    sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch, name: str, asked: str
) -> None:
    page = Page([pushed()], ["a call without voiceId"], 2, None, 1)
    monkeypatch.setattr(VoiceApi, asked, lambda *_given, **_more: page)

    records_pulls.sync(name)

    assert VoiceSync.objects.get(name=name).problem.startswith("Rows of Laaffic's list that could not be read: ")
    assert CallRecord.objects.get().voice_id == "v1"

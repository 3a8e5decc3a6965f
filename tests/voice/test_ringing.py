"""Phones that ring, as pushed: on their call's page and their task's, whatever comes first."""

import datetime as dt
import json
import time
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry, PushedBody, PushKind
from laaffic_console.gateway.services.inbox import draining, inbox
from laaffic_console.gateway.services.work import turns
from laaffic_console.sandbox.testing import RunningSandbox
from tests.voice.group_calls.group_samples import written
from voice.admin.calls import state_of
from voice.models import CallRecord, GroupTask, Ringing, SipCall, SipPhone
from voice.services.calls import matching as call_matching
from voice.services.calls import ringing
from voice.services.calls import sip_calls as calls
from voice.services.records import pushes

pytestmark = pytest.mark.django_db(transaction=True)

CALLEE = "919876500000"


def now_in_shanghai() -> str:
    return timezone.now().astimezone(dt.timezone(dt.timedelta(hours=8))).strftime("%Y-%m-%d %H:%M:%S")


def event(**changed: Any) -> dict[str, Any]:
    said = {"callId": "c1", "type": 3, "taskId": None, "called": CALLEE, "calledInfo": "", "sipAccount": "test_001"}
    return said | {"seatGroupName": "agents", "noAnswerSipList": [], "callinEventTime": now_in_shanghai()} | changed


def pushed(*entries: dict[str, Any], kind: PushKind = PushKind.VOICE_RINGING) -> PushedBody:
    inbox.store(kind=kind, body=json.dumps(entries), source=None)
    drained = pushes.RINGING if kind == PushKind.VOICE_RINGING else pushes.INBOX
    drained.apply_some()
    return PushedBody.objects.latest("pk")


def record_of(made: SipCall, **changed: Any) -> dict[str, Any]:
    said = {"voiceId": made.voice_id or "v1", "type": 3, "callee": made.callee, "calledInfo": made.called_info}
    return said | {"terminationCode": "0", "callStatus": 50, "callDuration": 5} | changed


@pytest.fixture
def made(sandbox: RunningSandbox, phone: SipPhone) -> SipCall:
    sandbox.sandbox.options.ring_seconds = (600, 601)
    return calls.place(phone=phone, callee=CALLEE)


def state(made: SipCall) -> str:
    return state_of(SipCall.objects.select_related("entry", "record").get(pk=made.pk))[0]


@pytest.mark.parametrize("kind", [PushKind.VOICE_RINGING, PushKind.VOICE_REPORT])
def test_reconcile_applies_what_is_stored(sandbox: RunningSandbox, application: Application, kind: PushKind) -> None:
    inbox.store(kind=kind, body=json.dumps([event()]), source=None)

    call_command("reconcile")

    assert PushedBody.objects.get().applied_at is not None


@pytest.mark.parametrize("kind", [PushKind.VOICE_RINGING, PushKind.VOICE_REPORT])
def test_reconcile_goes_on_when_a_turn_is_over(
    sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch, kind: PushKind
) -> None:
    monkeypatch.setattr(draining, "BODIES_AT_ONCE", 1)
    one_body = [False, False, True]  # is it over: asked before a round, before its piece, and before the next round
    monkeypatch.setattr(turns, "Turn", lambda: SimpleNamespace(is_over=partial(next, iter(one_body))))
    for n in range(5):
        inbox.store(kind=kind, body=json.dumps([event(callId=str(n))]), source=None)

    call_command("reconcile")

    assert not PushedBody.objects.filter(applied_at=None).exists()


class CallTests:
    @pytest.mark.parametrize("kind", [PushKind.VOICE_RINGING, PushKind.VOICE_REPORT])
    def test_the_page_says_that_it_rings(self, made: SipCall, kind: PushKind, admin_client: Client) -> None:
        """Also where Laaffic was given the address of the records alone."""
        body = pushed(event(calledInfo=made.called_info), kind=kind)

        assert (body.problems, body.entries) == ([], 1)
        assert state(made) == "ringing"
        page = admin_client.get(reverse("admin:voice_sipcall_change", args=[made.pk])).content.decode()
        assert "The phone test_001 rings since" in page
        assert 'hx-select="#call-page"' in page
        assert page.count("data-live-status") == 1

    def test_without_our_mark_the_id_tells(self, made: SipCall) -> None:
        pushed(event(callId=made.voice_id))
        assert state(made) == "ringing"

    def test_another_call_of_that_number_is_not_touched(self, made: SipCall) -> None:
        pushed(event(callId="stranger"), event(callId="x", calledInfo=made.called_info, called="919876599999"))

        assert state(made) == EntryState.ACCEPTED
        assert Ringing.objects.count() == 2

    def test_the_record_wins_in_any_order(self, made: SipCall) -> None:
        rings, ends = event(calledInfo=made.called_info), record_of(made)
        pushed(ends)
        pushed(rings)
        pushed(rings, ends)

        made.refresh_from_db()
        assert (state(made), made.record_id is not None, made.look_at) == ("answered", True, None)
        assert (Ringing.objects.count(), CallRecord.objects.count()) == (1, 1)

    def test_after_two_minutes_it_has_rung(self, made: SipCall) -> None:
        pushed(event(calledInfo=made.called_info, callinEventTime="2024-06-03 10:42:05"))
        assert state_of(SipCall.objects.get(pk=made.pk)) == (EntryState.ACCEPTED, "rang, in progress")

    def test_a_lost_answer_is_settled_by_it(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        made = calls.place(phone=phone, callee=CALLEE)
        assert made.entry is not None
        assert made.entry.state == EntryState.UNKNOWN

        pushed(event(calledInfo=made.called_info))

        made.entry.refresh_from_db()
        assert (made.entry.state, made.entry.evidence) == (EntryState.ACCEPTED, "a phone rang for call c1")

    def test_one_that_comes_before_the_answer(self, made: SipCall) -> None:
        voice_id = made.voice_id
        SipCall.objects.filter(pk=made.pk).update(voice_id="")
        pushed(event(callId=voice_id))
        assert state(made) == EntryState.ACCEPTED

        SipCall.objects.filter(pk=made.pk).update(voice_id=voice_id)
        with transaction.atomic():  # as the answer does
            call_matching.settle_by_ringing(Ringing.objects.filter(call_id=voice_id))

        assert state(made) == "ringing"

    def test_that_an_earlier_attempt_rang_is_that_attempts_alone(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: User
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        made = calls.place(phone=phone, callee=CALLEE)
        calls.did_not_ring(made.pk, why="nobody heard it", by=admin_user)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        calls.try_again(made.pk)

        pushed(event(calledInfo=made.called_info))

        attempts = LedgerEntry.objects.filter(about_kind="SIP call").order_by("attempt")
        assert [entry.state for entry in attempts] == [EntryState.ACCEPTED, EntryState.UNKNOWN]
        assert SipCall.objects.get().ringing_at is None

    def test_while_an_earlier_attempt_rings_its_busy_phone_refuses_and_no_third_is_made(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: User
    ) -> None:
        """A person said that it did not ring. No record of it is there before it has ended."""
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        made = calls.place(phone=phone, callee=CALLEE)
        calls.did_not_ring(made.pk, why="nobody heard it", by=admin_user)
        sandbox.sandbox.options.busy_phones = [phone.account]
        calls.try_again(made.pk)

        pushed(event(calledInfo=made.called_info))

        assert state(made) == "ringing"
        with pytest.raises(ValidationError, match="not made again"):
            calls.try_again(made.pk)

    def test_that_an_earlier_attempt_rang_outlasts_a_word_on_the_later(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: User
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=2)
        made = calls.place(phone=phone, callee=CALLEE)
        calls.did_not_ring(made.pk, why="nobody heard it", by=admin_user)
        calls.try_again(made.pk)
        pushed(event(calledInfo=made.called_info))
        calls.did_not_ring(made.pk, why="nobody heard this one either", by=admin_user)

        with pytest.raises(ValidationError, match="not made again"):
            calls.try_again(made.pk)

    def test_an_attempt_that_was_never_made_settles_nothing(self, made: SipCall) -> None:
        pushed(event(calledInfo=f"{made.called_info}-7"))

        assert state(made) == EntryState.ACCEPTED
        assert SipCall.objects.get().ringing_at is None

    def test_its_record_is_looked_for_again_once_it_rings(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: User
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        made = calls.place(phone=phone, callee=CALLEE)
        calls.did_not_ring(made.pk, why="nobody heard it", by=admin_user)
        assert SipCall.objects.get().look_at is None

        pushed(event(calledInfo=made.called_info))

        assert SipCall.objects.get().look_at is not None

    def test_a_repeated_push_and_an_earlier_time(self, made: SipCall) -> None:
        late = event(calledInfo=made.called_info)
        pushed(late, late | {"callinEventTime": "2024-06-03 10:42:05"}, late)
        assert Ringing.objects.get().at == dt.datetime(2024, 6, 3, 2, 42, 5, tzinfo=dt.UTC)

    def test_what_is_no_event_is_said(self, db: None) -> None:
        body = pushed(event(callId=""), {"callId": "ok", "noAnswerSipList": "a, b", "type": "77"})

        assert body.problems == ["a ringing event without callId"]
        kept = Ringing.objects.get()
        assert (kept.unanswered, kept.kind, kept.called) == ("a, b", None, "")

    def test_the_sandbox_tells_it(
        self, sandbox: RunningSandbox, phone: SipPhone, live_server: Any, settings: LazySettings
    ) -> None:
        token = "a-token-that-nobody-guesses"
        settings.LAAFFIC_PUSH_TOKENS = [token]
        sandbox.sandbox.options.ringing_callback = f"{live_server.url}/hooks/{token}/voice-ringing/"
        sandbox.sandbox.options.ring_seconds = (600, 601)
        made = calls.place(phone=phone, callee=CALLEE)
        until = time.monotonic() + 60
        while not PushedBody.objects.exists() and time.monotonic() < until:
            time.sleep(0.02)

        pushes.RINGING.apply_some()

        assert state(made) == "ringing"


class TaskTests:
    def test_agents_phones_stand_on_the_tasks_page(self, application: Application, admin_client: Client) -> None:
        task = written(application)
        GroupTask.objects.filter(pk=task.pk).update(key="10001", state="calling")
        pushed(event(type=1, taskId=10001, called="919876511111", noAnswerSipList=["test_000"]))

        page = admin_client.get(reverse("admin:voice_grouptask_change", args=[task.pk])).content.decode()

        assert "919876511111" in page
        assert "not answered by test_000" in page

    def test_who_sees_masks_sees_no_whole_number_there(self, application: Application, client: Client) -> None:
        viewer = User.objects.create_user("vi", is_staff=True)
        seen = ["view_grouptask", "view_callrecord"]  # no see_numbers
        viewer.user_permissions.set(Permission.objects.filter(codename__in=seen))
        client.force_login(viewer)
        task = written(application)
        GroupTask.objects.filter(pk=task.pk).update(key="10001", state="calling")
        pushed(event(type=1, taskId=10001, called="919876511111"))

        page = client.get(reverse("admin:voice_grouptask_change", args=[task.pk])).content.decode()

        assert "Agents" in page
        assert "919876511111" not in page


def test_the_earlier_of_two_pushes_says_when_it_rang_and_its_record_what_became_of_it(application: Application) -> None:
    task = written(application, count=1)
    GroupTask.objects.update(key="t1")
    task.refresh_from_db()
    earlier = "2026-01-01 09:00:00"
    for at in ("2026-01-01 09:00:05", earlier, "2026-01-01 09:00:09"):
        pushed(event(taskId="t1", callinEventTime=at))
    [(row, said)] = ringing.of_task(task)
    assert (f"{row.at.astimezone(dt.timezone(dt.timedelta(hours=8))):%Y-%m-%d %H:%M:%S}", said) == (
        earlier,
        "rang, no record",
    )

    CallRecord.objects.create(
        voice_id="c1", callee=CALLEE, outcome="busy", source="push", at=row.at, first_seen_at=row.at
    )

    assert [said for _row, said in ringing.of_task(task)] == [str(CallRecord.objects.get().get_outcome_display())]

"""Everything that is looked for is looked for ever more seldom, has an end, and a person can say what they know."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from tests.messaging.mms import attachment_samples as samples
from tests.messaging.pages import hidden
from tests.voice.group_calls.group_samples import written
from tests.voice.test_calls import CALLEE, record_of
from voice.models import Announcement, GroupTask, SipCall, SipPhone, TaskState, VoiceSync
from voice.services.asking import group_calls as group_sync
from voice.services.asking import records_pulls, scheduling
from voice.services.audio import uploads
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.records import call_records

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


def lost_call(sandbox: RunningSandbox, phone: SipPhone) -> SipCall:
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    return calls.place(phone=phone, callee=CALLEE)


def tried(at: dt.datetime) -> None:
    """As if the call had been made then, and its record were looked for now."""
    LedgerEntry.objects.update(prepared_at=at, left_at=at)
    SipCall.objects.update(created_at=at, look_at=timezone.now())


class CallTests:
    def test_a_call_of_three_hours_gets_its_record(
        self, sandbox: RunningSandbox, phone: SipPhone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = calls.place(phone=phone, callee=CALLEE)
        began = timezone.now() - dt.timedelta(hours=3)
        tried(began)
        VoiceSync.objects.create(name=records_pulls.SIP, read_until=timezone.now() - dt.timedelta(minutes=5))
        asked_from: list[dt.datetime] = []
        windows = records_pulls.call_record_windows

        def kept(start: dt.datetime, *more: Any) -> Any:
            asked_from.append(start)
            return windows(start, *more)

        monkeypatch.setattr(records_pulls, "call_record_windows", kept)
        records_pulls.sync(records_pulls.SIP)
        assert asked_from[0] < began

        SipCall.objects.filter(pk=made.pk).update(look_at=None)  # nothing is waited for any more
        records_pulls.sync(records_pulls.SIP)
        assert asked_from[-1] > began

    def test_what_no_record_tells_of_ends_after_a_day(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        made = lost_call(sandbox, phone)
        tried(timezone.now() - dt.timedelta(hours=23))
        calls.looked(timezone.now())
        assert SipCall.objects.get().look_at > timezone.now() + dt.timedelta(hours=11)

        tried(timezone.now() - calls.LAST_LOOK)
        calls.looked(timezone.now())

        made = SipCall.objects.select_related("entry").get()
        assert (made.look_at, made.entry.state) == (None, EntryState.LAPSED)
        assert "Say what you know" in calls.advice(made)

        call_records.take([record_of(made, made.called_info, "late")], call_records.Source.VOICE_RECORD, kind=None)
        assert LedgerEntry.objects.get().state == EntryState.ACCEPTED

    @pytest.mark.parametrize(("word", "state"), [("rang", EntryState.ACCEPTED), ("", EntryState.NOT_SENT)])
    @pytest.mark.parametrize("is_over", [False, True])
    def test_a_person_can_say_both(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client, word: str, state: str, is_over: bool
    ) -> None:
        made = lost_call(sandbox, phone)
        if is_over:
            LedgerEntry.objects.update(state=EntryState.LAPSED)
        page = reverse("admin:voice_sipcall_change", args=[made.pk])
        assert 'value="rang"' in admin_client.get(page).content.decode()

        resolve = reverse("admin:voice_sipcall_resolve", args=[made.pk])
        admin_client.post(resolve, {"why": "I asked", "word": word, "seen": made.entry_id})

        assert LedgerEntry.objects.get().state == state
        assert SipCall.objects.get().look_at is None

    @pytest.mark.parametrize("word", ["rang", ""])
    def test_a_word_from_an_old_page_leaves_the_next_attempt_alone(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client, admin_user: User, word: str
    ) -> None:
        """Somebody else has said of the first attempt that it did not ring, and made a second, which may have rung."""
        made = lost_call(sandbox, phone)
        old = hidden(admin_client, reverse("admin:voice_sipcall_change", args=[made.pk]))
        calls.did_not_ring(made.pk, why="nobody heard it", by=admin_user)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        calls.try_again(made.pk)

        resolve = reverse("admin:voice_sipcall_resolve", args=[made.pk])
        said = admin_client.post(resolve, {"why": "I asked", "word": word} | old, follow=True).content.decode()

        assert "Another attempt has been made since you looked" in said
        states = LedgerEntry.objects.order_by("pk").values_list("state", flat=True)
        assert list(states) == [EntryState.NOT_SENT, EntryState.UNKNOWN]


class GroupTests:
    @pytest.fixture
    def missing(self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch) -> GroupTask:
        """A task that Laaffic took, was calling, and does not list any more."""
        task = group_tasks.launch(written(application).pk)
        monkeypatch.setattr(group_state, "find", lambda task: None)
        GroupTask.objects.update(state=TaskState.CALLING)
        return task

    def test_a_person_says_that_it_is_over(self, missing: GroupTask, admin_client: Client) -> None:
        page, resolve = (reverse(f"admin:voice_grouptask_{what}", args=[missing.pk]) for what in ("change", "resolve"))
        assert 'value="over"' not in admin_client.get(page).content.decode()
        group_sync.sync()
        assert 'value="over"' in admin_client.get(page).content.decode()
        admin_client.post(resolve, {"word": "over", "why": " ", "seen": missing.entry_id})
        missing.refresh_from_db()
        assert missing.state == TaskState.CALLING

        admin_client.post(resolve, {"word": "over", "why": "it was deleted there", "seen": missing.entry_id})

        missing.refresh_from_db()
        assert (missing.state, missing.look_at) == (TaskState.FINISHED, None)
        assert "admin says that it is over: it was deleted there" in admin_client.get(page).content.decode()

    @pytest.mark.parametrize("word", ["over", ""])
    def test_a_word_from_an_old_page_leaves_the_next_launch_alone(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client, admin_user: User, word: str
    ) -> None:
        """Somebody else has said of the first launch that it is not there, and launched it again, edited."""
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        task = group_tasks.launch(written(application).pk)
        GroupTask.objects.update(looks=1)
        old = hidden(admin_client, reverse("admin:voice_grouptask_change", args=[task.pk]))
        group_tasks.not_there(task.pk, why="not in their console", by=admin_user)
        draft = GroupTask.objects.get(pk=task.pk)
        draft.text = "Other words"
        group_tasks.save(draft)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        group_tasks.launch(draft.pk)
        GroupTask.objects.update(looks=1)

        resolve = reverse("admin:voice_grouptask_resolve", args=[task.pk])
        said = admin_client.post(resolve, {"why": "I looked", "word": word} | old, follow=True).content.decode()

        assert "It was launched again since you looked" in said
        assert GroupTask.objects.get().state == TaskState.UNKNOWN

    def test_nobody_says_so_of_what_is_listed(
        self, sandbox: RunningSandbox, application: Application, admin_user: User
    ) -> None:
        task = group_tasks.launch(written(application).pk)

        with pytest.raises(ValidationError, match="list has it"):
            group_tasks.say_over(task.pk, why="I think so", by=admin_user)

    def test_an_unknown_launch_ends_as_called(
        self, sandbox: RunningSandbox, application: Application, admin_user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(group_state, "find", lambda task: None)
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        task = group_tasks.launch(written(application).pk)
        group_sync.sync()

        group_tasks.say_over(task.pk, why="the phones rang", by=admin_user)

        assert GroupTask.objects.get().state == TaskState.FINISHED
        assert LedgerEntry.objects.get().state == EntryState.ACCEPTED

    @pytest.mark.parametrize("state", [TaskState.CALLING, TaskState.UNKNOWN])
    def test_it_is_looked_for_ever_more_seldom_and_at_last_no_more(self, missing: GroupTask, state: TaskState) -> None:
        GroupTask.objects.update(state=state, looks=group_state.MISSED_AT_MOST - 1, launched_at=timezone.now())
        GroupTask.objects.update(launched_at=timezone.now() - dt.timedelta(days=3), look_at=timezone.now())

        scheduling.run(group_sync.NAME)
        missing.refresh_from_db()
        assert missing.look_at > timezone.now() + dt.timedelta(minutes=50)

        GroupTask.objects.update(look_at=timezone.now())
        VoiceSync.objects.update(requested_at=None)
        scheduling.run(group_sync.NAME)
        missing.refresh_from_db()
        assert (missing.looks, missing.look_at) == (group_state.MISSED_AT_MOST + 1, None)

        VoiceSync.objects.update(started_at=timezone.now() - dt.timedelta(hours=1))  # the list is due: not this task
        scheduling.run(group_sync.NAME)
        missing.refresh_from_db()
        assert missing.looks == group_state.MISSED_AT_MOST + 1

        VoiceSync.objects.update(requested_at=timezone.now())  # somebody asks
        scheduling.run(group_sync.NAME)
        missing.refresh_from_db()
        assert missing.looks == group_state.MISSED_AT_MOST + 2


def test_an_open_page_does_not_read_the_sound(
    sandbox: RunningSandbox, application: Application, admin_client: Client
) -> None:
    """It is fetched every two seconds, and a sound has up to 5 MB."""
    kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
    task = group_tasks.launch(written(application, text="", source=Announcement.IN_REQUEST, audio=kept).pk)
    with CaptureQueriesContext(connection) as asked:
        page = admin_client.get(reverse("admin:voice_grouptask_change", args=[task.pk])).content.decode()

    assert "hello.mp3" in page
    assert not [query["sql"] for query in asked if '"voice_audiofile"."content"' in query["sql"]]

"""A launch of a group call that can be taken back: nothing leaves before its seconds are over."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.work import moments
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import SuppressionEntry
from messaging.services.steps import UNFINISHED_RESTORE
from tests.messaging.pages import hidden
from tests.voice.group_calls.group_samples import FIRST, at_sandbox, written
from tests.voice.group_calls.test_group_admin import own
from voice.models import GroupTask, TaskState
from voice.services import restored
from voice.services.asking import group_calls as group_sync
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import proving as task_proving
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def launched(sandbox: RunningSandbox, application: Application) -> GroupTask:
    return group_tasks.launch(written(application, count=3).pk, undo_seconds=30)


def its_seconds_are_over(task: GroupTask) -> None:
    past = timezone.now() - dt.timedelta(seconds=1)
    GroupTask.objects.filter(pk=task.pk).update(undo_until=past, starts_at=past)


def state_of(task: GroupTask) -> str:
    return str(GroupTask.objects.values_list("state", flat=True).get(pk=task.pk))


def test_nothing_is_asked_for_before_its_seconds_are_over(sandbox: RunningSandbox, launched: GroupTask) -> None:
    group_waiting.start(launched.pk)
    group_waiting.start_due()
    group_waiting.start_launched(launched.pk)

    assert (state_of(launched), at_sandbox(sandbox)) == (TaskState.LAUNCHED, [])
    assert not LedgerEntry.objects.exists()


def test_it_starts_once_when_they_are_over(sandbox: RunningSandbox, launched: GroupTask) -> None:
    its_seconds_are_over(launched)

    group_waiting.start_launched(launched.pk)
    group_waiting.start_due()
    group_waiting.start(launched.pk)

    assert state_of(launched) == TaskState.SUBMITTING
    assert len(at_sandbox(sandbox)) == LedgerEntry.objects.count() == 1


def test_the_supervisor_rings_for_it(launched: GroupTask) -> None:
    soon = timezone.now() + dt.timedelta(seconds=31)

    assert group_waiting.launches_due(soon) == [(launched.pk, launched.undo_until)]
    assert not group_waiting.launches_due(timezone.now())
    assert group_waiting.START_JOB in moments._awaited


def test_taken_back_it_is_a_draft_that_never_left(sandbox: RunningSandbox, launched: GroupTask) -> None:
    group_waiting.take_back(launched.pk)
    its_seconds_are_over(launched)
    group_waiting.start(launched.pk)

    assert (state_of(launched), at_sandbox(sandbox)) == (TaskState.DRAFT, [])


def test_what_has_left_cannot_be_taken_back(launched: GroupTask) -> None:
    its_seconds_are_over(launched)
    group_waiting.start(launched.pk)

    with pytest.raises(ValidationError, match="cannot be taken back"):
        group_waiting.take_back(launched.pk)


def test_it_is_not_edited_meanwhile(launched: GroupTask) -> None:
    with pytest.raises(ValidationError, match="launched in the meantime"):
        group_tasks.save(launched)


def test_everybody_suppressed_meanwhile_holds_it_and_says_so(sandbox: RunningSandbox, launched: GroupTask) -> None:
    for n in range(3):
        SuppressionEntry.objects.create(number=str(FIRST + n), channel="voice")
    its_seconds_are_over(launched)

    group_waiting.start(launched.pk)

    held = GroupTask.objects.get(pk=launched.pk)
    assert held.state == TaskState.HELD
    assert "Nobody is left to call" in held.hold_reason
    SuppressionEntry.objects.all().delete()
    assert group_waiting.resume(launched.pk).state == TaskState.SUBMITTING
    assert len(at_sandbox(sandbox)) == 1


def test_a_refusal_of_what_a_worker_has_started_holds_it(sandbox: RunningSandbox, launched: GroupTask) -> None:
    sandbox.set_faults(status="-26", status_calls=1)
    its_seconds_are_over(launched)

    group_waiting.start(launched.pk)

    held = GroupTask.objects.get(pk=launched.pk)
    assert (held.state, at_sandbox(sandbox)) == (TaskState.HELD, [])
    assert "Nobody was called" in held.hold_reason


def test_what_is_far_past_its_moment_asks(sandbox: RunningSandbox, launched: GroupTask) -> None:
    long_ago = timezone.now() - dt.timedelta(hours=2)
    GroupTask.objects.update(undo_until=long_ago, starts_at=long_ago)

    group_waiting.start_due()

    held = GroupTask.objects.get(pk=launched.pk)
    assert (held.state, at_sandbox(sandbox)) == (TaskState.HELD, [])
    assert "120 minutes past its time" in held.hold_reason
    assert group_waiting.resume(launched.pk).state == TaskState.SUBMITTING


def test_a_lost_answer_is_unknown_and_never_sent_again(sandbox: RunningSandbox, launched: GroupTask) -> None:
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    its_seconds_are_over(launched)

    group_waiting.start(launched.pk)
    group_waiting.start_due()

    assert state_of(launched) == TaskState.UNKNOWN
    assert LedgerEntry.objects.count() == 1


def test_the_lost_answer_comes_while_the_same_waits_for_its_seconds(
    sandbox: RunningSandbox, application: Application, admin_user: Any
) -> None:
    """Taken back and edited it would call everybody again under another name."""
    sandbox.set_faults(next_fault="reset_after", next_calls=2, paths=["/voice/group/call/"])
    lost = group_tasks.launch(written(application, count=3).pk)
    assert (lost.state, lost.entry.state) == (TaskState.UNKNOWN, EntryState.UNKNOWN)
    GroupTask.objects.update(looks=1)
    group_tasks.not_there(lost.pk, why="in a hurry", by=admin_user)
    group_tasks.launch(lost.pk, undo_seconds=30)
    group_answers._accepted(lost, lost.entry, group_callees.of(lost), str(at_sandbox(sandbox)[0].key))
    assert state_of(lost) == TaskState.SUBMITTING
    with pytest.raises(ValidationError, match="cannot be taken back"):
        group_waiting.take_back(lost.pk)

    its_seconds_are_over(lost)
    group_waiting.start(lost.pk)

    task = group_launching.fresh(lost.pk)
    assert len(at_sandbox(sandbox)) == 1
    assert (task.is_at_laaffic, task.entry, task.entry.state) == (True, lost.entry, EntryState.ACCEPTED)
    assert task_proving.prove(task)["disagreements"] == []


def test_the_lost_answer_comes_while_the_same_is_held(
    sandbox: RunningSandbox, application: Application, admin_user: Any
) -> None:
    sandbox.set_faults(next_fault="reset_after", next_calls=2, paths=["/voice/group/call/"])
    lost = group_tasks.launch(written(application, count=3).pk)
    GroupTask.objects.update(looks=1)
    group_tasks.not_there(lost.pk, why="in a hurry", by=admin_user)
    GroupTask.objects.update(state=TaskState.HELD, hold_reason="No funds.", entry=None)

    group_answers._accepted(lost, lost.entry, group_callees.of(lost), str(at_sandbox(sandbox)[0].key))

    task = group_launching.fresh(lost.pk)
    assert (task.state, task.hold_reason, task.entry) == (TaskState.SUBMITTING, "", lost.entry)
    assert task_proving.prove(task)["disagreements"] == []


@pytest.mark.parametrize(("asked", "becomes"), [(False, TaskState.LAUNCHED), (True, TaskState.HELD)])
def test_a_worker_that_died_with_it_in_hand(launched: GroupTask, asked: bool, becomes: TaskState) -> None:
    long_ago = timezone.now() - dt.timedelta(hours=1)
    entry = LedgerEntry.objects.create(interface="x", state="not_sent", prepared_at=long_ago) if asked else None
    GroupTask.objects.filter(pk=launched.pk).update(state=TaskState.SENDING, look_at=long_ago, entry=entry)

    group_sync.recover()

    assert state_of(launched) == becomes


def test_after_a_restore_it_asks(launched: GroupTask) -> None:
    its_seconds_are_over(launched)

    assert restored.hold_launched(timezone.now()) == 1
    group_waiting.start_due()

    assert state_of(launched) == TaskState.HELD


class PageTests:
    def test_undo_leads_back_to_the_page_before_the_launch(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client, settings: Any
    ) -> None:
        settings.LAAFFIC_UNDO_SECONDS = 7
        task = written(application, count=3)
        posted = {"seen": "night", **hidden(admin_client, own(task, "review"))}

        shown = admin_client.post(own(task, "review"), {**posted, "undo": "60"}, follow=True).content.decode()
        assert 'id="undo"' in shown
        assert "Nothing has left yet." in shown
        assert at_sandbox(sandbox) == []
        back = admin_client.post(own(task, "do", "take-back"), follow=True)

        assert back.request["PATH_INFO"] == own(task, "review")
        assert "Taken back: nothing has left." in back.content.decode()
        assert state_of(task) == TaskState.DRAFT

    @pytest.mark.parametrize("given", ["61", "-1", "x"])
    def test_not_longer_than_a_minute(self, application: Application, admin_client: Client, given: str) -> None:
        task = written(application, count=3)
        posted = {"seen": "night", **hidden(admin_client, own(task, "review")), "undo": given}

        assert "0 to 60 seconds" in admin_client.post(own(task, "review"), posted).content.decode()
        assert state_of(task) == TaskState.DRAFT

    def test_a_held_one_can_be_tried_again_or_taken_back(self, launched: GroupTask, admin_client: Client) -> None:
        restored.hold_launched(timezone.now())

        shown = admin_client.get(own(launched)).content.decode()
        assert all(f'id="{button}"' in shown for button in ("resume", "take-back", "held"))
        admin_client.post(own(launched, "do", "resume"))

        assert state_of(launched) == TaskState.SUBMITTING


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"state": TaskState.WAITING}, "not held any more"),
        ({"state": TaskState.HELD, "hold_reason": UNFINISHED_RESTORE}, "A restore has not finished"),
    ],
)
def test_what_cannot_be_resumed_says_why(
    sandbox: RunningSandbox, launched: GroupTask, changed: dict[str, Any], says: str
) -> None:
    GroupTask.objects.update(**changed)

    with pytest.raises(ValidationError, match=says):
        group_waiting.resume(launched.pk)

    assert at_sandbox(sandbox) == []

"""Group calls from the shell: what a command does to a task that somebody else made or that has not left."""

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Calendar
from messaging.services.launching import restored_drafts
from tests.voice.group_calls.group_samples import at_sandbox, seen_through, written
from voice.models import GroupTask, TaskState
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import tasks as group_tasks

pytestmark = pytest.mark.django_db(transaction=True)

RESTORED = "The console was restored from a backup: it may have been launched since."


def told(*words: str) -> Any:
    out = StringIO()
    call_command("voice", "group", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_repetition_that_may_have_left_before_a_restore_stays(
    sandbox: RunningSandbox, application: Application
) -> None:
    """Deleted with its mark, the same command once more would call everybody without a question."""
    anna = User.objects.create_superuser("anna")
    task = seen_through(group_tasks.launch(written(application, count=5).pk))
    draft = group_copies.again(task, failed_only=False, by=anna)
    restored_drafts.mark(GroupTask.objects.filter(pk=draft.pk), RESTORED)

    for _time in range(2):
        with pytest.raises(CommandError, match="restored from a backup"):
            told("again", str(task.pk))

    draft.refresh_from_db()
    assert (draft.state, draft.hold_kind) == (TaskState.DRAFT, "restored")
    assert len(at_sandbox(sandbox)) == 1


def test_one_that_waits_for_its_hours_is_taken_back(sandbox: RunningSandbox, application: Application) -> None:
    task = written(application, count=3)
    nearly_never = Calendar.objects.create(name="Later", hours="mon-sun 00:00-00:01")
    GroupTask.objects.filter(pk=task.pk).update(calendar=nearly_never)

    states = [told(verb, str(task.pk))["state"] for verb in ("launch", "cancel")]

    assert states == ["launched", "draft"]
    assert not LedgerEntry.objects.exists()


@pytest.fixture
def held(application: Application) -> GroupTask:
    task = written(application, count=3)
    GroupTask.objects.filter(pk=task.pk).update(state=TaskState.HELD, hold_reason="The budget is used up.")
    return task


def test_a_held_one_is_resumed(sandbox: RunningSandbox, held: GroupTask) -> None:
    assert told("resume", str(held.pk))["state"] == TaskState.SUBMITTING
    assert len(at_sandbox(sandbox)) == 1

    with pytest.raises(CommandError, match="not held any more"):
        told("resume", str(held.pk))
    assert len(at_sandbox(sandbox)) == 1


def test_what_still_stops_it_is_said(sandbox: RunningSandbox, held: GroupTask, application: Application) -> None:
    Application.objects.filter(pk=application.pk).update(is_active=False)

    with pytest.raises(CommandError, match="switched off"):
        told("resume", str(held.pk))

    held.refresh_from_db()
    assert (held.state, at_sandbox(sandbox)) == (TaskState.HELD, [])

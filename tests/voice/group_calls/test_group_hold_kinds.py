"""What holds a group call is told by its kind, however its sentence is worded."""

import datetime as dt
import importlib

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.kit.words.said import joined
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import HoldKind
from messaging.services.gates import sending_hours
from messaging.services.refusals import EndNotAsked
from messaging.services.steps import UNFINISHED_RESTORE
from tests.voice.group_calls.group_samples import at_sandbox, written
from voice.models import GroupTask, TaskState
from voice.services import restored
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def launched(sandbox: RunningSandbox, application: Application) -> GroupTask:
    return group_tasks.launch(written(application, count=3).pk, undo_seconds=30)


def its_moment_comes(ago: dt.timedelta = dt.timedelta(seconds=1), **changed: object) -> None:
    moment = timezone.now() - ago
    GroupTask.objects.update(starts_at=moment, undo_until=moment, **changed)
    group_waiting.start_due()


def kind() -> str:
    return str(GroupTask.objects.values_list("hold_kind", flat=True).get())


def test_a_latest_end_is_asked_about_and_lifted_whatever_it_says(sandbox: RunningSandbox, launched: GroupTask) -> None:
    its_moment_comes(latest_end=timezone.now() - dt.timedelta(seconds=1))
    assert kind() == HoldKind.LATEST_END
    GroupTask.objects.update(hold_reason="Said in other words by now.")

    with pytest.raises(EndNotAsked):
        group_waiting.resume(launched.pk, past_end=False)
    assert at_sandbox(sandbox) == []
    group_waiting.resume(launched.pk, past_end=True)

    assert (len(at_sandbox(sandbox)), kind()) == (1, "")


def test_an_unfinished_restore_lets_nothing_leave(sandbox: RunningSandbox, launched: GroupTask) -> None:
    held = {"state": TaskState.HELD, "hold_kind": HoldKind.RESTORE_UNFINISHED, "hold_reason": "In other words."}
    GroupTask.objects.update(**held)

    for act in (group_waiting.resume, group_waiting.take_back):
        with pytest.raises(ValidationError, match="A restore has not finished"):
            act(launched.pk)
    assert at_sandbox(sandbox) == []


def test_what_is_far_past_its_moment_has_its_kind_until_it_is_taken_back(launched: GroupTask) -> None:
    its_moment_comes(dt.timedelta(hours=2))
    assert kind() == HoldKind.TOO_LATE

    group_waiting.take_back(launched.pk)

    assert kind() == ""


def test_a_refusal_and_a_restore_have_theirs(sandbox: RunningSandbox, launched: GroupTask) -> None:
    sandbox.set_faults(status="-26", status_calls=1)
    its_moment_comes()
    assert kind() == HoldKind.OTHER

    restored.hold_launched(timezone.now())

    assert kind() == HoldKind.RESTORED


def test_what_was_held_before_there_were_kinds_gets_one(application: Application) -> None:
    end = sending_hours.after_its_end(timezone.now())
    held = [joined([end]), UNFINISHED_RESTORE, "Kept without its words."]
    for n, reason in enumerate(held):
        GroupTask.objects.create(
            application=application, task_name=f"Calls {n}", state=TaskState.HELD, hold_reason=reason
        )

    importlib.import_module("voice.migrations.0025_past_hold_kinds").fill(apps, None)

    kinds = list(GroupTask.objects.order_by("pk").values_list("hold_kind", flat=True))
    assert kinds == ["latest_end", "restore_unfinished", ""]

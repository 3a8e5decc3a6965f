"""Which task a record that names none belongs to: only where nothing else may have called the number."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.laaffic import CallKind, CallOutcome
from messaging.models import Batch, Campaign, Message
from tests.voice.group_calls.group_samples import FIRST, written
from voice.models import CallRecord, GroupTask, TaskState
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import records as group_records

pytestmark = pytest.mark.django_db

NOW = timezone.now()
NUMBER = str(FIRST)


def calling(application: Application, key: str = "k-1", state: str = TaskState.CALLING, **changed: Any) -> GroupTask:
    task = written(application, count=2, name=f"Task {key}")
    given = {"key": key, "state": state, "called": 2, "launched_at": NOW - dt.timedelta(minutes=5)} | changed
    GroupTask.objects.filter(pk=task.pk).update(**given)
    task.refresh_from_db()
    return task


def record(voice_id: str = "v", callee: str = NUMBER) -> CallRecord:
    return CallRecord.objects.create(
        voice_id=voice_id,
        kind=CallKind.GROUP,
        callee=callee,
        at=NOW - dt.timedelta(minutes=2),
        outcome=CallOutcome.ANSWERED,
        first_seen_at=NOW,
    )


class AdoptTests:
    def test_what_only_one_task_can_have_called_is_its_own(self, application: Application) -> None:
        task = calling(application)
        record()

        assert group_records.adopt(task) == 1
        assert CallRecord.objects.get().task_id == "k-1"

    @pytest.mark.parametrize(
        "rival",
        [
            {"key": "", "state": TaskState.UNKNOWN},
            {"key": "", "state": TaskState.SENDING},
            {"key": "", "state": TaskState.SUBMITTING},
            {"key": "", "state": TaskState.CALLING},
            {"key": "k-2", "state": TaskState.CALLING},
            {"key": "k-2", "state": TaskState.FINISHED, "finished_at": NOW - dt.timedelta(minutes=1)},
            {"key": "", "state": TaskState.CANCELLED, "finished_at": NOW},
        ],
        ids=["unknown", "being sent", "without a key", "calling, no key", "calling", "just over", "cancelled"],
    )
    def test_what_another_task_may_have_called_is_nobodys(
        self, application: Application, rival: dict[str, Any]
    ) -> None:
        task = calling(application)
        calling(application, **rival)
        record()

        assert group_records.adopt(task) == 0

    @pytest.mark.parametrize(
        "other",
        [
            {"key": "", "state": TaskState.DRAFT},
            {"key": "", "state": TaskState.FAILED},
            {"key": "k-2", "state": TaskState.FINISHED, "finished_at": NOW - dt.timedelta(hours=3)},
            {"key": "", "state": TaskState.UNKNOWN, "launched_at": NOW + dt.timedelta(hours=1)},
        ],
        ids=["refused", "failed", "over before", "launched after"],
    )
    def test_what_surely_called_nobody_then_is_no_rival(self, application: Application, other: dict[str, Any]) -> None:
        task = calling(application, finished_at=NOW)
        calling(application, **other)
        record()

        assert group_records.adopt(task) == 1

    def test_a_record_in_another_spelling_is_the_tasks(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = calling(application)
        monkeypatch.setattr(group_callees, "of", lambda task: ["525512345678"])
        record(callee="5215512345678")

        assert group_records.adopt(task) == 1

    def test_two_spellings_of_one_number_are_nobodys(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = calling(application)
        monkeypatch.setattr(group_callees, "of", lambda task: ["525512345678"])
        record("v", "5215512345678")
        record("w", "525512345678")

        assert group_records.adopt(task) == 0

    def test_two_records_of_one_number_are_nobodys(self, application: Application) -> None:
        task = calling(application)
        for voice_id in ("v-1", "v-2"):
            record(voice_id)
        record("v-3", str(FIRST + 1))

        assert group_records.adopt(task) == 1
        assert CallRecord.objects.exclude(task_id="").get().voice_id == "v-3"

    @pytest.mark.parametrize(("minutes", "given"), [(3, 0), (300, 1)])
    def test_a_spoken_message_to_the_same_number_meanwhile_may_be_the_one(
        self, application: Application, minutes: int, given: int
    ) -> None:
        task = calling(application)
        spoken = Campaign.objects.create(name="S", application=application, text="x", channel="voice")
        call = LedgerEntry.objects.create(
            interface="voice/sendCode",
            state=EntryState.UNKNOWN,
            left_at=NOW - dt.timedelta(minutes=minutes),
            prepared_at=NOW,
        )
        batch = Batch.objects.create(campaign=spoken, entry=call, first_message_id=0, last_message_id=0, size=1)
        Message.objects.create(campaign=spoken, batch=batch, number=NUMBER, segments=1)
        record()

        assert group_records.adopt(task) == given

"""A group call's numbers as a file: each with the records of its calls."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from laaffic_console.exporting.models import Export
from laaffic_console.gateway.models import Application
from messaging.models import Contact
from tests.voice.group_calls.group_samples import FIRST, written
from voice.exports import task_recipient_exports
from voice.models import CallRecord, GroupTask

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def task() -> GroupTask:
    task = written(Application.objects.create(app_id="voice1", channel="voice"), count=3)
    GroupTask.objects.filter(pk=task.pk).update(key="task-7")
    task.refresh_from_db()
    Contact.objects.create(number=str(FIRST), name="Ann", country="IN")
    calls = [("1", FIRST, "busy"), ("2", FIRST, "answered"), ("3", FIRST + 1, "failed"), ("4", 4915123456789, "busy")]
    for voice_id, callee, outcome in calls:
        CallRecord.objects.create(
            voice_id=voice_id,
            callee=str(callee),
            outcome=outcome,
            at=AT,
            first_seen_at=AT,
            task_id="task-7",
            duration=12,
            cost=Decimal("0.01"),
            currency="USD",
            termination_code="17",
            termination_reason="user busy",
            source="push",
        )
    CallRecord.objects.create(
        voice_id="5", callee=str(FIRST + 2), outcome="busy", at=AT, first_seen_at=AT, source="push", task_id="other"
    )
    return task


def test_each_call_is_a_row_and_each_number_without_one(task: GroupTask) -> None:
    header, *rows = task_recipient_exports.rows(task)

    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(row["number"], row["state"]) for row in found] == [
        (str(FIRST), "busy"),
        (str(FIRST), "answered"),
        (str(FIRST + 1), "failed"),
        (str(FIRST + 2), task_recipient_exports.NO_RECORD),
        ("4915123456789", "busy"),
    ]
    assert found[0] | {"name": "Ann", "reason": "17 user busy", "cost": Decimal("0.01"), "called_at": AT} == found[0]


def test_names_are_left_out_for_who_may_not_see_contacts(task: GroupTask) -> None:
    _header, *rows = task_recipient_exports.rows(task, with_names=False)

    assert {row[1] for row in rows} == {""}


def test_the_page_of_the_task_gives_it(admin_client: Client, task: GroupTask) -> None:
    GroupTask.objects.filter(pk=task.pk).update(state="finished", launched_at=AT)
    address = f"/admin/voice/grouptask/{task.pk}"

    assert "export-recipients" in admin_client.get(f"{address}/change/").content.decode()
    answer: Any = admin_client.get(f"{address}/recipients/csv/")

    assert b"".join(answer.streaming_content).count(b"\r\n") == 6
    assert Export.objects.get().title == "Recipients of Spring"

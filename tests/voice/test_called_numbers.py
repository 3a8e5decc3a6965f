"""A cap finds whom group calls reached by the number; the rows are kept as long as they count."""

import datetime as dt
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from messaging.models import Campaign
from voice.models import CalledNumber, GroupTask, TaskNumbers, TaskState
from voice.services import called_numbers
from voice.services.group_calls import care as group_care

pytestmark = pytest.mark.django_db
NUMBERS = ["919876543210", "919876543211"]
NOW = timezone.now()


def task(application: Application, *numbers: str, over: dt.datetime | None = None, purpose: str = "") -> GroupTask:
    entry = LedgerEntry.objects.create(interface="voice/group/call/send", prepared_at=NOW, application=application)
    state = TaskState.FINISHED if over else TaskState.CALLING
    made = GroupTask.objects.create(
        name="Autumn", application=application, entry=entry, state=state, finished_at=over, purpose=purpose
    )
    TaskNumbers.objects.create(task=made, lines="\n".join(numbers))
    called_numbers.keep(made, numbers)
    made.save()
    return made


def had(*numbers: str) -> list[tuple[str, int, int]]:
    day, week = NOW - dt.timedelta(days=1), NOW - dt.timedelta(days=7)
    return sorted(group_care.had(numbers, week, day))


def test_the_index_of_the_number_answers_and_no_list_is_read(application: Application) -> None:
    task(application, *NUMBERS)
    task(application, NUMBERS[0], over=NOW - dt.timedelta(days=2))
    task(application, NUMBERS[0], over=NOW - dt.timedelta(days=7, minutes=30))
    task(application, NUMBERS[0], purpose=Campaign.Purpose.TRANSACTIONAL)

    with CaptureQueriesContext(connection) as captured:
        found = had(*NUMBERS, "919876543299")

    assert found == [(NUMBERS[0], 0, 1), (NUMBERS[0], 1, 1), (NUMBERS[1], 1, 1)]
    assert not any("lines" in query["sql"] for query in captured)
    assert len(captured) == 2
    if connection.vendor == "sqlite":
        asked = CalledNumber.objects.filter(number__among=NUMBERS).values_list("number", "task_id")
        assert "called_number" in asked.explain() or "USING COVERING INDEX" in asked.explain()
        assert "SCAN voice_callednumber" not in asked.explain()


def test_an_earlier_try_is_replaced(application: Application) -> None:
    tried = task(application, *NUMBERS)

    called_numbers.keep(tried, NUMBERS[1:])

    assert [row.number for row in CalledNumber.objects.all()] == NUMBERS[1:]


def test_what_no_cap_asks_for_is_forgotten_in_slices(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(called_numbers, "SLICE", 1)
    old = task(application, *NUMBERS, over=NOW - dt.timedelta(days=7, hours=2))
    kept = [task(application, *NUMBERS, over=NOW - dt.timedelta(days=7)), task(application, *NUMBERS)]

    called_numbers.forget(NOW)

    assert set(CalledNumber.objects.values_list("task_id", flat=True)) == {one.pk for one in kept}
    assert set(GroupTask.objects.filter(is_counted=True)) == set(kept)
    old.refresh_from_db()
    assert not old.is_counted


def test_group_calls_from_before_are_filled_in(application: Application) -> None:
    recent, old = task(application, *NUMBERS), task(application, *NUMBERS, over=NOW - dt.timedelta(days=9))
    CalledNumber.objects.all().delete()
    GroupTask.objects.update(is_counted=False)

    import_module("voice.migrations.0018_past_called_numbers").fill(apps, None)

    assert set(CalledNumber.objects.values_list("number", "task_id")) == {(number, recent.pk) for number in NUMBERS}
    assert not GroupTask.objects.get(pk=old.pk).is_counted

"""Jobs that failed are listed for a month."""

import datetime as dt

import pytest
from django.utils import timezone
from django_q.models import Failure, Task

from laaffic_console.gateway.models import WorkerHeartbeat
from laaffic_console.gateway.services.work import forgetting, workers

pytestmark = pytest.mark.django_db


def failed(name: str, days_ago: int) -> None:
    at = timezone.now() - dt.timedelta(days=days_ago)
    Task.objects.create(
        id=name, name=name, func="messaging.jobs.sweep", started=at, stopped=at, success=False, result="Traceback"
    )


def test_a_failed_job_is_forgotten_after_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    failed("old", 31)
    failed("new", 29)
    monkeypatch.setattr(forgetting, "_next_at", 0.0)

    forgetting.sweep()
    assert [one.pk for one in Failure.objects.all()] == ["new"]

    failed("older", 40)
    forgetting.sweep()
    assert Failure.objects.count() == 2, "it looked again at once"


def test_a_worker_that_was_killed_is_forgotten_while_the_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    for name, beat_at in (("killed", now - workers.GONE_AFTER - dt.timedelta(seconds=1)), ("silent", now)):
        WorkerHeartbeat.objects.create(worker=name, host="h", pid=1, started_at=beat_at, beat_at=beat_at)
    monkeypatch.setattr(forgetting, "_next_at", 0.0)

    forgetting.sweep()

    assert [one.pk for one in WorkerHeartbeat.objects.all()] == ["silent"]

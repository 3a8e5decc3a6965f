"""The queue in our database: a task is taken by one cluster, and offered again when that one never said it was done."""

import datetime as dt
import multiprocessing

import pytest
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

from laaffic_console.gateway.queue import database_queue, taken_tasks
from laaffic_console.gateway.queue.database_queue import DatabaseQueue, QueueBroker

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> DatabaseQueue:
    monkeypatch.setattr(Conf, "POLL", 0)
    monkeypatch.setattr(taken_tasks, "_taken", multiprocessing.Value("i", 0))  # else every later turn ends at once
    async_task("laaffic_console.gateway.jobs.heartbeat", broker=QueueBroker())
    OrmQ.objects.update(lock=timezone.now() - dt.timedelta(seconds=1))
    return DatabaseQueue("laaffic-console")


def test_a_task_is_taken_once(queue: DatabaseQueue) -> None:
    assert len(queue.dequeue() or []) == 1
    assert queue.dequeue() is None


def test_whoever_is_slower_gets_nothing(queue: DatabaseQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have seen it before one of them took it."""
    seen = database_queue._waiting.rows(key="laaffic-console", now=timezone.now())
    monkeypatch.setattr(database_queue._waiting, "rows", lambda **_given: seen)

    assert len(queue.dequeue() or []) == 1
    assert queue.dequeue() == []


def test_it_is_offered_again_when_its_time_is_over(queue: DatabaseQueue) -> None:
    queue.dequeue()
    lock = OrmQ.objects.get().lock
    assert dt.timedelta(0) < lock - timezone.now() <= dt.timedelta(seconds=Conf.RETRY)

    OrmQ.objects.update(lock=timezone.now() - dt.timedelta(seconds=1))

    assert len(queue.dequeue() or []) == 1


def test_what_was_done_is_gone(queue: DatabaseQueue) -> None:
    [(task, _payload)] = queue.dequeue() or []

    queue.acknowledge(task)

    assert not OrmQ.objects.exists()


def test_another_clusters_tasks_stay(queue: DatabaseQueue) -> None:
    assert DatabaseQueue("another").dequeue() is None
    assert OrmQ.objects.count() == 1

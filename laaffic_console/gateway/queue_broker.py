"""The queue in the same database, on the ringing process' own connection; and what a cluster has in its hands.

django-q2's own broker closes a connection of a certain age before each bell, so on SQLite a request opened its
database twice, which took longer than all that it asked there. A connection that has failed is closed as before:
the next bell opens another one.

A cluster takes tasks out while all its processes are busy: one lies ready for them, and the next in the pusher's hand.
Neither store knows that they wait, so the cluster's processes count them in memory that they share.
"""

import datetime as dt
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone
from django_q.brokers import Broker
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signals import post_spawn, pre_execute
from django_q.signing import BadSignature, SignedPackage

from laaffic_console.gateway.services.database.durability import relaxing
from laaffic_console.kit.sql import prepared
from laaffic_console.kit.sql.constant_sql import Given, Select, Update

# Tasks that were taken out and have not begun. Made before the cluster forks, so all its processes have the same one.
_taken = multiprocessing.Value("i", 0)
LONGEST_COUNT = 0.1  # seconds

Tasks = list[tuple[Any, Any]] | None  # what acknowledges each, and what is signed


class QueueBroker(ORM):
    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """A manager of the queue's rows, as django-q2's."""
        connection = connections[Conf.ORM]
        if connection.errors_occurred and not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        return OrmQ.objects.using(Conf.ORM)

    def enqueue(self, task: str) -> int:
        """The row's id. What many requests do: one constant statement, and nobody waits for the disk because of a bell,
        which the sweeper rings again if a power cut takes it."""
        self.get_connection()
        to = connections[Conf.ORM]
        now = to.ops.adapt_datetimefield_value(timezone.now())
        with prepared.cursor(to) as cursor:
            cursor.execute(
                'INSERT INTO django_q_ormq ("key", payload, lock) '  # noqa: S608 - our own words
                f"VALUES (%s, %s, %s) RETURNING id{relaxing(Conf.ORM)}",
                [self.list_key or Conf.CLUSTER_NAME, task, now],
            )
            return int(cursor.fetchone()[0])


class DatabaseQueue(ORM):
    def dequeue(self) -> Tasks:
        """As django-q2's, by constant statements."""
        self.get_connection()
        waiting = _waiting.rows(key=self.list_key, now=timezone.now())
        if not waiting:
            sleep(Conf.POLL)  # spare the processor
            return None
        lock = timezone.now() + dt.timedelta(seconds=Conf.RETRY)
        return counted([(pk, payload) for pk, payload, seen in waiting if _take(task=pk, seen=seen, lock=lock)])

    def delete(self, task_id: int) -> None:
        self.get_connection()
        connection = connections[Conf.ORM]
        with prepared.cursor(connection) as cursor:
            cursor.execute("DELETE FROM django_q_ormq WHERE id = %s", [task_id])


@Select
def _waiting() -> "QuerySet[OrmQ, Any]":
    waiting: QuerySet[OrmQ, Any] = OrmQ.objects.filter(key=Given("key"), lock__lt=Given("now"))
    return waiting.values_list("pk", "payload", "lock")[: Conf.BULK]


@Update
def _take() -> tuple["QuerySet[OrmQ]", dict[str, Any]]:
    """Unless another cluster was faster."""
    return OrmQ.objects.filter(pk=Given("task"), lock=Given("seen")), {"lock": Given("lock")}


def of_cluster(list_key: str | None = None) -> Broker:
    """Where a cluster takes its tasks from (the setting `broker_class`)."""
    if Conf.ORM:
        return DatabaseQueue(list_key)
    from laaffic_console.gateway.redis_queue import RedisQueue  # redis takes 7 MB, and most consoles do without it

    return RedisQueue(list_key)


def is_task_waiting() -> bool:
    """Whether a task of this cluster waits for a process; False in a process of no cluster. Asks nobody."""
    return bool(_taken.get_obj().value > 0)


def counted(tasks: Tasks) -> Tasks:
    _change(sum(_is_ours(signed) for _acknowledged_by, signed in tasks or ()))
    return tasks


def _is_ours(signed: Any) -> bool:
    """What is not signed with our key is thrown away by the pusher and never begins."""
    try:
        SignedPackage.loads(signed)
    except (TypeError, BadSignature):
        return False
    return True


def _change(by: int) -> None:
    with _counting():
        _taken.get_obj().value = max(0, _taken.get_obj().value + by)


@contextmanager
def _counting() -> Iterator[None]:
    """A process that was killed in here keeps the lock forever: a count that is out by one must stop nobody."""
    lock = _taken.get_lock()
    is_held = lock.acquire(timeout=LONGEST_COUNT)
    try:
        yield
    finally:
        if is_held:
            lock.release()


def _begun(**_told: Any) -> None:
    _change(-1)


def _forgotten(**_told: Any) -> None:
    """A process that was killed may have had one in its hand: better one too few than one that waits forever."""
    with _counting():
        _taken.get_obj().value = 0


pre_execute.connect(_begun, dispatch_uid="a task has begun")
post_spawn.connect(_forgotten, dispatch_uid="a process was started")

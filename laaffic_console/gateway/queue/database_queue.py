"""The queue in the same database, on the ringing process' own connection.

django-q2's own broker closes a connection of a certain age before each bell, so on SQLite a request opened its
database twice, which took longer than all that it asked there. A connection that has failed is closed as before:
the next bell opens another one.
"""

import datetime as dt
from time import sleep
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from laaffic_console.gateway.queue.taken_tasks import Tasks, counted
from laaffic_console.gateway.services.database.durability import relaxing
from laaffic_console.kit.sql import prepared
from laaffic_console.kit.sql.constant_sql import Given, Select, Update


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
        """Like django-q2's, with constant statements."""
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
    """Take a task, unless another cluster was faster."""
    return OrmQ.objects.filter(pk=Given("task"), lock=Given("seen")), {"lock": Given("lock")}

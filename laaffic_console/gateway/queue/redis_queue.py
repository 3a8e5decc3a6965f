"""The queue in Redis, loaded only where it is used.

While it is away, the worker's supervisor says so, once an outage: a cluster's processes only wait for it.
"""

from contextlib import suppress
from time import sleep

from django_q.brokers.redis_broker import Redis
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as Unanswered

from laaffic_console.gateway.queue.taken_tasks import Tasks, counted

AWAY = (Unreachable, Unanswered)
LOOK_AGAIN = 1.0  # seconds


class RedisQueue(Redis):
    def dequeue(self) -> Tasks:
        try:
            return counted(super().dequeue())
        except AWAY:
            sleep(LOOK_AGAIN)
            return None

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Twice a second, and read by nobody here."""
        with suppress(*AWAY):
            super().set_stat(key, value, timeout)

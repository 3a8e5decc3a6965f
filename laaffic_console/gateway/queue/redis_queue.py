"""The queue in Redis, loaded only where it is used.

While it is away, the worker's supervisor says so, once an outage: a cluster's processes only wait for it.
"""

import functools
from contextlib import suppress
from time import sleep

import redis
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf

from laaffic_console.gateway.queue.taken_tasks import Tasks, counted
from laaffic_console.gateway.redis_outage import AWAY, options, outage

LOOK_AGAIN = 1.0  # seconds
PROBE = "laaffic-console:probe"  # a key that is written only to see whether one can be


class RedisQueue(Redis):
    def dequeue(self) -> Tasks:
        try:
            return counted(super().dequeue())
        except AWAY:
            sleep(LOOK_AGAIN)
            return None

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Twice a second, and read by nobody here."""
        with suppress(AWAY):
            super().set_stat(key, value, timeout)


class BellRope(RedisQueue):
    """Rings and counts bells with short time limits. Raises one of `AWAY` while Redis does not answer or refuses."""

    @staticmethod
    def get_connection(list_key: str | None = None) -> "redis.Redis":
        return redis.Redis.from_url(Conf.REDIS, **options())

    def enqueue(self, task: str) -> int:
        with outage.watch():
            return int(super().enqueue(task))

    def queue_size(self) -> int:
        with outage.watch():
            return int(super().queue_size())

    def ask(self) -> int:
        """The queue's size, and whether it takes bells: a Redis that is full or a replica still counts them."""
        with outage.watch(), self.connection.pipeline(transaction=False) as asked:
            asked.set(PROBE, "", ex=60)
            asked.llen(self.list_key)
            return int(asked.execute()[1])


@functools.cache
def bell_rope(address: str) -> BellRope:
    """The process's own; its connections are opened again after a fork."""
    return BellRope()

"""The queue in Redis, loaded only where it is used."""

from django_q.brokers.redis_broker import Redis

from laaffic_console.gateway.queue_broker import Tasks, counted


class RedisQueue(Redis):
    def dequeue(self) -> Tasks:
        return counted(super().dequeue())

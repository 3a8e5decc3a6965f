"""django-q2's queue, in the database or in Redis, and what a cluster has taken out of it."""

from django_q.brokers import Broker
from django_q.conf import Conf

from laaffic_console.gateway.queue.database_queue import DatabaseQueue, QueueBroker


def of_cluster(list_key: str | None = None) -> Broker:
    """Where a cluster takes its tasks from (the setting `broker_class`)."""
    if Conf.ORM:
        return DatabaseQueue(list_key)
    from laaffic_console.gateway.queue.redis_queue import RedisQueue  # redis takes 7 MB: most consoles do without it

    return RedisQueue(list_key)


def ask() -> int:
    """How many bells wait. Raises what the queue's client raises where none could be rung."""
    rope = of_ringing()
    return int(rope.queue_size() if Conf.ORM else rope.ask())


def of_ringing() -> Broker:
    """Where bells are rung and counted, in any process."""
    if Conf.ORM:
        return QueueBroker()
    from laaffic_console.gateway.queue.redis_queue import bell_rope

    return bell_rope(Conf.REDIS)

"""The queue in the same database, on the connection that whoever rings has open.

django-q2's own broker closes a connection of a certain age before each bell, so on SQLite a request opened its
database twice, which took longer than all that it asked there. A connection that has failed is closed as before:
the next bell opens another one.
"""

from typing import Any

from django.db import connections
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ


class QueueBroker(ORM):
    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """A manager of the queue's rows, as django-q2's."""
        connection = connections[Conf.ORM]
        if connection.errors_occurred and not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        return OrmQ.objects.using(Conf.ORM)

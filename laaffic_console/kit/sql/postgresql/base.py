"""A kept connection is tried without a question to the server, and a database that cannot keep every text is refused.

Django asks `SELECT 1` before the first statement of each request and job: one more trip to the server, half of those
that a push takes. A server that has ended a connection has said so, and the system here knows; one that is gone
without a word would leave `SELECT 1` waiting as long as the statement after it.
"""

import select
from typing import Any

from django.db import OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper as StockWrapper
from psycopg.pq import TransactionStatus

ENCODING = "UTF8"


class DatabaseWrapper(StockWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """OperationalError for a database of another encoding: the first name from elsewhere would be a fault there."""
        connection = super().get_new_connection(conn_params)
        encoding = connection.info.parameter_status("server_encoding")
        if encoding not in (ENCODING, None):  # which not every pool in between says
            connection.close()
            raise OperationalError(f"the encoding of the database is {encoding}, not {ENCODING}")
        return connection

    def is_usable(self) -> bool:
        """Asked as usual if anything has come while nothing was asked (a farewell, or a notice that harms nothing), and
        in the middle of a statement or transaction."""
        if self.connection is None or self.connection.closed:
            return False
        is_idle = self.connection.pgconn.transaction_status == TransactionStatus.IDLE
        return (is_idle and not _has_come(self.connection.fileno())) or super().is_usable()


def _has_come(socket: int) -> bool:
    """Whether anything can be read, or the other side has closed. `select.select` refuses numbers over 1,023."""
    waiting = select.poll()
    waiting.register(socket, select.POLLIN)
    return bool(waiting.poll(0))

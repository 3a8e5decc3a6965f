"""Connections that end when their other side is dead, are tried without a question to the server, and speak UTF-8.

Django asks `SELECT 1` before the first statement of each request and job: one more trip to the server, half of those
that a push takes. A server that has ended a connection has said so, and the system here knows; one that is gone
without a word would leave `SELECT 1` waiting as long as the statement after it: both sides look for a dead one.

A process that stands still in a transaction (stopped, swapped out, on a machine that is gone) keeps its locks. The
server ends such a transaction after a minute, and who waits on a page is told after twenty seconds, as with SQLite's
lock. The address of the database may say otherwise: `?options=-c%20idle_in_transaction_session_timeout%3D0`.
"""

import select
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper as StockWrapper
from psycopg.pq import TransactionStatus

ENCODING = "UTF8"

# libpq's: a server that is gone is known within a minute, not after the system's two hours.
LOOKED_FOR = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# The server's: the same of a console that is gone.
OF_SESSION = {
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


class DatabaseWrapper(StockWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        """With our limits, before the address's own. Not in OPTIONS, from which pg_dump and psql get theirs."""
        params = super().get_connection_params()
        return {**LOOKED_FOR, **params, **_session(params.get("options", ""))}

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


def _session(own: str) -> dict[str, str]:
    """Behind a pooler, which lends one session to many, none but what the address says."""
    if settings.DATABASE_HAS_POOLER:
        return {"options": own} if own else {}
    wanted = dict(OF_SESSION)
    if settings.DATABASE_LOCK_SECONDS:
        wanted["lock_timeout"] = f"{settings.DATABASE_LOCK_SECONDS}s"
    ours = " ".join(f"-c {name}={value}" for name, value in wanted.items())
    return {"options": f"{ours} {own}".strip()}


def _has_come(socket: int) -> bool:
    """Whether anything can be read, or the other side has closed. `select.select` refuses numbers over 1,023."""
    waiting = select.poll()
    waiting.register(socket, select.POLLIN)
    return bool(waiting.poll(0))

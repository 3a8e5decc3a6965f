"""Cursors whose statements PostgreSQL reads once a connection and then only fills in.

Django's own write the values into the text, so that the server reads each as if it had never seen it. That is right for
what is asked now and then, and takes a third of the server's time for what is asked with each request or batch.

Only for texts that are the same each time, with what never differs standing in the text itself: a plan that fits every
state of a batch cannot use an index that has one state alone.
"""

import re
from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

KEPT = 500  # statements a connection; a text counts once for each mixture of small and large integers


def cursor(to: BaseDatabaseWrapper) -> Any:
    """A cursor that keeps prepared statements. It is plain `to.cursor()` on SQLite, where CONSOLE_DATABASE_POOLER says
    that none can be kept, and while statements are logged, which are shown with their values."""
    if to.vendor != "postgresql" or to.queries_logged:
        return to.cursor()
    to.close_if_health_check_failed()
    to.ensure_connection()
    if to.connection.prepare_threshold is None:
        return to.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor

    to.connection.prepared_max = KEPT
    return to._prepare_cursor(ServerBindingCursor(to.connection))  # type: ignore[attr-defined,call-arg]


def with_constants(sql: str, params: Sequence[Any], given: type) -> tuple[str, list[Any]]:
    """PostgreSQL's text with each parameter in it that is not a `given` one, and the others."""
    from psycopg.sql import Literal

    coming = iter(params)
    left: list[Any] = []

    def written(mark: re.Match[str]) -> str:
        if mark[0] == "%%":
            return "%%"
        value = next(coming)
        if isinstance(value, given):
            left.append(value)
            return "%s"
        return Literal(value).as_string().replace("%", "%%")

    return re.sub(r"%[%s]", written, sql), left

"""Django's SQLite, whose writers wait for the lock in short equal steps.

SQLite itself asks again after 1, 2, 5, 10 … and at last every 100 ms, so whoever has waited longest asks most seldom:
among a few busy processes most writes wait no time and some wait for seconds. Here it begins anew after 1, 2 and 5 ms,
for as long as the option `timeout` says.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db.backends.sqlite3 import base

STEP_MS = 8  # of SQLite's own; shorter ones cost a waiting thread more and win little


class DatabaseWrapper(base.DatabaseWrapper):
    patience = 0.0  # seconds

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """Opened with all of its patience: what it is told at the beginning may have to wait as well."""
        opened: sqlite3.Connection = super().get_new_connection(conn_params)
        self.patience = conn_params["timeout"]
        opened.execute(f"PRAGMA busy_timeout = {STEP_MS}")
        return opened

    def create_cursor(self, name: str | None = None) -> "PatientCursor":
        cursor: PatientCursor = self.connection.cursor(factory=PatientCursor)
        cursor.patience = self.patience
        return cursor


class PatientCursor(base.SQLiteCursorWrapper):
    patience = 0.0

    def execute(self, query: str, params: Any = None) -> Any:
        return self._patiently(super().execute, query, params)

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        return self._patiently(super().executemany, query, list(param_list))

    def _patiently(self, ask: Callable[..., Any], *given: Any) -> Any:
        until = 0.0
        while True:
            try:
                return ask(*given)
            except sqlite3.OperationalError as problem:
                until = until or time.monotonic() + self.patience
                if not self._may_wait(problem) or time.monotonic() >= until:
                    raise

    def _may_wait(self, problem: sqlite3.OperationalError) -> bool:
        """Nothing was done; within a transaction whoever has the lock may be waiting for this one."""
        return problem.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY and not self.connection.in_transaction

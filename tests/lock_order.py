"""In which order transactions lock rows of which tables: two that do it the other way round can deadlock.

A table into which the transaction has inserted is left out from then on: nobody else can hold, or wait for, rows that
are not committed. SKIP LOCKED waits for nobody, but others wait for what it has locked.
"""

import re
from collections import defaultdict

LOCKS = (
    re.compile(r'^(?:UPDATE|DELETE FROM) "?(\w+)"?'),
    re.compile(r'^SELECT .*? FROM "?(\w+)"? .*FOR (?:NO KEY )?UPDATE', re.DOTALL),
    re.compile(r'^INSERT INTO "?(\w+)"? .*ON CONFLICT .*DO UPDATE', re.DOTALL),
)
MADE = re.compile(r'^(?:WITH made AS \()?INSERT INTO "?(\w+)"?')


class Transaction:
    def __init__(self) -> None:
        self.locked: list[str] = []
        self.made: set[str] = set()
        self.not_waited_for: set[str] = set()

    def ran(self, sql: str) -> None:
        for pattern in LOCKS:
            if found := pattern.match(sql):
                if found[1] not in self.made and found[1] not in self.locked:
                    self.locked.append(found[1])
                    if "SKIP LOCKED" in sql:
                        self.not_waited_for.add(found[1])
                return
        if found := MADE.match(sql):
            self.made.add(found[1])


class LockOrder:
    """Of all transactions that were seen: which table was locked before which, and by what."""

    def __init__(self) -> None:
        self.after: dict[str, set[str]] = defaultdict(set)

    def add(self, transaction: Transaction) -> None:
        for position, table in enumerate(transaction.locked):
            self.after[table].update(set(transaction.locked[position + 1 :]) - transaction.not_waited_for)

    def circle(self) -> list[str]:
        """Tables of which each is locked before the next, and the last before the first; [] where there are none."""
        for table in sorted(self.after):
            if path := self._back_to(table, table, {table}):
                return [table, *path]
        return []

    def _back_to(self, start: str, table: str, seen: set[str]) -> list[str]:
        for following in sorted(self.after.get(table, ())):
            if following == start:
                return [start]
            if following not in seen:
                seen.add(following)
                if path := self._back_to(start, following, seen):
                    return [following, *path]
        return []

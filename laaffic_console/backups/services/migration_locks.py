"""Which migrations would hold a table that grows with what is sent, for as long as it takes to go through its rows.

Told from the operations alone, so that a test asks it of every migration before anybody has to wait for one. What a
RunPython does is not seen: one that goes through a large table does it in slices.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now

from laaffic_console.kit.sql.gentle_migrations import AddUniqueGently

# Tables with a row for each person, message, call, request or push; all others stay small.
GROWING = frozenset(
    {
        *("api.repeatablerequest", "audit.auditentry", "events.delivery", "events.event"),
        *("gateway.ledgerentry", "gateway.orphanreport", "gateway.pushedbody"),
        *("messaging.activitytally", "messaging.badrow", "messaging.batch", "messaging.batchanswer"),
        *("messaging.budgetshare", "messaging.campaign", "messaging.campaignevent", "messaging.canarymessage"),
        *("messaging.consent", "messaging.consentevent", "messaging.contact", "messaging.conversation"),
        *("messaging.earlierattempt", "messaging.emailmessage", "messaging.groupmembership"),
        *("messaging.importedchange", "messaging.message", "messaging.messageevent", "messaging.optinquestion"),
        "messaging.outcometally",
        *("messaging.otherspelling", "messaging.pastednumber", "messaging.reply", "messaging.suppressionentry"),
        *("notices.notice", "numbers.binding", "numbers.bindingrequest"),
        *("voice.callednumber", "voice.callrecord", "voice.ringing", "voice.sipcall", "voice.tasknumbers"),
    }
)
MANY = 100_000  # rows; fewer are gone through within a second

INDEX = "builds an index while nobody can write: use kit.sql.gentle_migrations.AddIndexGently in a migration of its own"
SCAN = "looks at every row while nobody can write: use AddConstraintNotValid, and ValidateConstraint in the next one"
REWRITE = "rewrites every row while nobody can read: add a nullable column, and fill it in slices"
NOT_NULL = "looks at every row while nobody can read: keep the column nullable"

_TABLE = r'(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?:public\.)?"?(\w+)"?'
_SQL = (
    (re.compile(rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)[^;(]*?\bON\s+{_TABLE}", re.IGNORECASE), INDEX),
    (re.compile(rf"ALTER\s+TABLE\s+{_TABLE}[^;]*?\bALTER\b[^;]*?\bTYPE\b", re.IGNORECASE), REWRITE),
    (re.compile(rf"ALTER\s+TABLE\s+{_TABLE}[^;]*?\bSET\s+NOT\s+NULL", re.IGNORECASE), NOT_NULL),
    (re.compile(rf"ALTER\s+TABLE\s+{_TABLE}\s+ADD\s+CONSTRAINT(?![^;]*NOT\s+VALID)", re.IGNORECASE), SCAN),
    (re.compile(rf"(?:^|;)\s*UPDATE\s+{_TABLE}", re.IGNORECASE), REWRITE),
    (re.compile(rf"(?:VACUUM\s+FULL|CLUSTER|LOCK\s+TABLE|LOCK|REINDEX\s+TABLE)\s+{_TABLE}", re.IGNORECASE), REWRITE),
)


@dataclass(frozen=True, slots=True)
class LongLock:
    """`migration` is "messaging.0042_name", `model` "messaging.message", `why` what it does and what to do instead."""

    migration: str
    model: str
    why: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.model}: {self.why}"


def in_all() -> list[LongLock]:
    """The long locks of every migration from the first on, not of the squashed ones that a new database runs."""
    executor = MigrationExecutor(None)
    executor.loader = MigrationLoader(None, replace_migrations=False)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    return list(in_plan([migration for migration, _backwards in plan if not migration.replaces], ProjectState()))


def in_pending(executor: MigrationExecutor, pending: Iterable[Migration]) -> list[LongLock]:
    """The long locks of `pending`, the migrations that are not applied here, on tables that have many rows here."""
    applied = [key for key in executor.loader.applied_migrations if key in executor.loader.graph.nodes]
    state = executor.loader.project_state(applied)
    found = list(in_plan(pending, state))
    long = {model for model in {lock.model for lock in found} if rows_about(*model.split(".")) > MANY}
    return [lock for lock in found if lock.model in long]


def in_plan(migrations: Iterable[Migration], state: ProjectState) -> Iterator[LongLock]:
    """`state` is that before the first of them, and is changed."""
    for migration in migrations:
        made: set[str] = set()  # a table that is new has no rows
        for operation in migration.operations:
            for model, why in _judged(operation, migration.app_label, state):
                if model in GROWING and model not in made:
                    yield LongLock(f"{migration.app_label}.{migration.name}", model, why)
            if isinstance(operation, operations.CreateModel):
                made.add(f"{migration.app_label}.{operation.name_lower}")
            operation.state_forwards(migration.app_label, state)


def rows_about(app_label: str, model_name: str) -> int:
    """Counted no further than it takes to tell that they are many; 0 where there is no such table yet."""
    table = f"{app_label}_{model_name}"
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return 0
        if connection.vendor == "postgresql":
            cursor.execute("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass(%s)", [table])
        else:
            # Row numbers leave gaps, of millions behind a restore.
            cursor.execute(f'SELECT count(*) FROM (SELECT 1 FROM "{table}" LIMIT {MANY + 1})')  # noqa: S608 - a table of ours
        (rows,) = cursor.fetchone()
    return int(rows or 0)


def _judged(operation: Any, app_label: str, state: ProjectState) -> Iterator[tuple[str, str]]:
    """Models and why."""
    match operation:
        case operations.SeparateDatabaseAndState():
            for inner in operation.database_operations:
                yield from _judged(inner, app_label, state)
        case operations.RunSQL():
            yield from _judged_sql(operation.sql, state)
        case AddIndexConcurrently() | AddConstraintNotValid() | AddUniqueGently():
            return
        case operations.AddIndex():
            yield f"{app_label}.{operation.model_name_lower}", INDEX
        case operations.AddConstraint():
            yield f"{app_label}.{operation.model_name_lower}", SCAN
        case operations.AlterUniqueTogether() if operation.unique_together:
            yield f"{app_label}.{operation.name_lower}", SCAN
        case operations.AddField():
            if why := _of_new_field(operation.field):
                yield f"{app_label}.{operation.model_name_lower}", why
        case operations.AlterField():
            before = state.models[app_label, operation.model_name_lower].get_field(operation.name)
            if why := _of_changed_field(before, operation.field):
                yield f"{app_label}.{operation.model_name_lower}", why


def _of_new_field(field: Any) -> str:
    """A constant default is kept beside the table since PostgreSQL 11; what differs by row has to be written."""
    if isinstance(field, models.GeneratedField | models.AutoField | models.BigAutoField) or _is_volatile(field):
        return REWRITE
    return INDEX if _is_indexed(field) else ""


def _is_volatile(field: Any) -> bool:
    return field.has_db_default() and not isinstance(field.db_default, models.Value | Now | str | int | float | bool)


def _is_indexed(field: Any) -> bool:
    return bool(not field.many_to_many and (field.db_index or field.unique))


def _of_changed_field(before: Any, after: Any) -> str:
    if _type_of(before) != _type_of(after) and not _only_wider(before, after):
        return REWRITE
    if before.null and not after.null:
        return NOT_NULL
    return INDEX if _is_indexed(after) and not _is_indexed(before) else ""


def _type_of(field: Any) -> tuple[Any, ...]:
    names = ("max_length", "max_digits", "decimal_places", "db_collation")
    return (field.get_internal_type(), *(getattr(field, name, None) for name in names))


def _only_wider(before: Any, after: Any) -> bool:
    """PostgreSQL changes the catalogue alone for a longer varchar, or text instead of one."""
    if not isinstance(before, models.CharField) or getattr(before, "db_collation", None) != getattr(
        after, "db_collation", None
    ):
        return False
    if isinstance(after, models.TextField):
        return True
    return isinstance(after, models.CharField) and (
        after.max_length is None or (before.max_length is not None and after.max_length >= before.max_length)
    )


def _judged_sql(sql: Any, state: ProjectState) -> Iterator[tuple[str, str]]:
    if sql is operations.RunSQL.noop:
        return
    texts = [sql] if isinstance(sql, str) else [each if isinstance(each, str) else each[0] for each in sql]
    models_of = {
        model.options.get("db_table") or f"{app_label}_{name}": f"{app_label}.{name}"
        for (app_label, name), model in state.models.items()
    }
    for text in texts:
        for pattern, why in _SQL:
            yield from ((models_of[table], why) for table in pattern.findall(text) if table in models_of)

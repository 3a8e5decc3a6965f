"""Writing cleaned rows to the contacts, a chunk in one transaction: added, updated or left as they are."""

import datetime as dt
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import CASCADE, DO_NOTHING, ManyToOneRel
from django.utils import timezone

from laaffic_console.kit.sql.sql_lists import among
from messaging.files.contact_rows import CleanRow, ReadyRow, as_json
from messaging.models import Contact
from messaging.services.contacts import erasures

IMPORT_LOCK = 0x1AAFF1C  # any number, as long as it is this one
FREEZE_LOCK = IMPORT_LOCK + 1
COLUMNS = list(CleanRow._fields)


@dataclass(slots=True)
class Written:
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    erased_before: int = 0  # of those added


def write(rows: Sequence[ReadyRow], *, source: str, group_id: int | None, import_id: int | None = None) -> Written:
    """Write rows in the caller's transaction. Values that a row leaves out stay; a repeated number's later row wins."""
    one_at_a_time()
    there, ids = _stored([row[0] for row in rows])
    stored, written, changed = dict(there), Written(), {}
    for row in rows:
        number = row[0]
        before = stored.get(number)
        after = row if before is None else _merged(before, row)
        if before is None:
            written.added += 1
        elif after is not before:
            written.updated += 1
        else:
            written.unchanged += 1
            continue
        stored[number] = changed[number] = after
    now, found = timezone.now(), [number for number in changed if number in there]
    written.erased_before = erasures.count_among([number for number in changed if number not in there])
    if import_id is not None and found:
        _forget_overtaken([ids[number] for number in found], import_id)
    _upsert(list(changed.values()), source, import_id, now, known=there)
    if import_id is not None and found:
        overwritten = {ids[number]: _overwritten(there[number], changed[number]) for number in found}
        _note_changes(overwritten, import_id, now)
    if group_id is not None:
        _add_members(list({row[0] for row in rows}), group_id, import_id)
    return written


def one_at_a_time() -> None:
    """Two files with the same people would each count them as new, or wait for each other's rows forever."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])


def keep_from_undo() -> None:
    """For freezing contacts, in its transaction: no import is undone before that is committed, nor while it runs."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [FREEZE_LOCK])


def undo_alone() -> None:
    """For deleting what an import added: nobody imports or freezes until that is committed."""
    one_at_a_time()
    freeze_none()


def freeze_none() -> None:
    """Until the caller's transaction is committed. After batches and campaigns: a freeze has its campaign by then."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FREEZE_LOCK])


def restore(rows: Sequence[CleanRow]) -> None:
    """Put back what contacts had, in the caller's transaction, which holds them."""
    _upsert([row.ready() for row in rows], "", None, timezone.now(), known={row.number for row in rows})


def delete(ids: Collection[int]) -> int:
    """Contacts and what hangs on them, in the caller's transaction; how many there were. Messages stay, as with models.

    Relations are treated as their models say, whichever app has them, but nothing is loaded.
    """
    if not ids:
        return 0
    for relation in Contact._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ManyToOneRel) or relation.on_delete is DO_NOTHING:
            continue
        there = relation.related_model._base_manager.filter(**{f"{relation.field.name}__id__among": ids})
        if relation.on_delete is CASCADE:
            there.delete()
        else:
            there.update(**{relation.field.name: None})
    is_one, parameter = among(ids)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM messaging_contact WHERE id {is_one}", [parameter])
        return int(cursor.rowcount)


def _stored(numbers: Sequence[str]) -> tuple[dict[str, ReadyRow], dict[str, int]]:
    """What is there already, and its ids."""
    is_one, parameter = among(numbers)
    stored, ids = {}, {}
    with connection.cursor() as cursor:
        columns = ", ".join(["id", *COLUMNS])
        cursor.execute(f"SELECT {columns} FROM messaging_contact WHERE number {is_one}", [parameter])
        for found in cursor.fetchall():
            number = found[1]
            stored[number], ids[number] = found[1:], found[0]
    return stored, ids


def _overwritten(before: ReadyRow, after: ReadyRow) -> str:
    pairs = zip(CleanRow._fields, CleanRow.of(before), CleanRow.of(after), strict=True)
    return as_json({name: was for name, was, becomes in pairs if was != becomes})


def _merged(before: ReadyRow, row: ReadyRow) -> ReadyRow:
    """The contact after this row; `before` itself if nothing changes, as for most rows of a repeated import."""
    if row == before:
        return before
    was, says = CleanRow.of(before), CleanRow.of(row)
    after = says._replace(
        name=says.name or was.name,
        email=says.email or was.email,
        language=says.language or was.language,
        attributes=_merged_attributes(was, says),
    )
    return before if after == was else after.ready()


def _merged_attributes(before: CleanRow, row: CleanRow) -> dict[str, str]:
    """The attributes after this row. Those it leaves out, or empty, stay: it says nothing of them.

    Except a first name that does not fit the new name.
    """
    said = {name: value for name, value in row.attributes.items() if value}
    merged = {**before.attributes, **said}
    first = before.attributes.get("first_name")
    if first and row.name and "first_name" not in said and not row.name.startswith(first):
        del merged["first_name"]
    return merged


def _upsert(
    rows: Sequence[ReadyRow], source: str, import_id: int | None, now: dt.datetime, known: Collection[str]
) -> None:
    made = _Made(source[:120], import_id, now)
    fresh, others = [row for row in rows if row[0] not in known], [row for row in rows if row[0] in known]
    if connection.vendor != "postgresql":
        _insert_each(fresh, made, "")
        _insert_each(others, made, _on_conflict)
    elif fresh and not _copied(fresh, made):
        _copy_and_insert(rows, made)
    elif others:
        _copy_and_insert(others, made)


class _Made(NamedTuple):
    """The columns that all new rows of a chunk share; existing contacts keep their source and import."""

    source: str
    imported_by_id: int | None
    now: dt.datetime


_columns = ", ".join([*COLUMNS, "source", "imported_by_id", "created_at", "updated_at"])
_insert = f"INSERT INTO messaging_contact ({_columns})"
_on_conflict = "ON CONFLICT (number) DO UPDATE SET " + ", ".join(
    f"{column} = excluded.{column}" for column in [*COLUMNS[1:], "updated_at"]
)


def _insert_each(rows: Sequence[ReadyRow], made: _Made, otherwise: str) -> None:
    """New ones without a word of a conflict: where there may be one, SQLite prepares for the trigger of an update."""
    if not rows:
        return
    now = connection.ops.adapt_datetimefield_value(made.now)
    common = (made.source, made.imported_by_id, now, now)
    marks = ", ".join(["%s"] * (len(COLUMNS) + len(common)))
    with connection.cursor() as cursor:
        cursor.executemany(f"{_insert} VALUES ({marks}) {otherwise}", [row + common for row in rows])


def _copied(rows: Sequence[ReadyRow], made: _Made) -> bool:
    """New ones straight into the table; False, and nothing done, where somebody has added one of them by hand."""
    try:
        with transaction.atomic():
            _copy("messaging_contact", rows, made)
    except IntegrityError:
        return False
    return True


def _copy_and_insert(rows: Sequence[ReadyRow], made: _Made) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS contact_import ON COMMIT DELETE ROWS "
            f"AS SELECT {_columns} FROM messaging_contact WITH NO DATA"
        )
        _copy("contact_import", rows, made)
        cursor.execute(f"{_insert} SELECT {_columns} FROM contact_import {_on_conflict}")
        cursor.execute("TRUNCATE contact_import")  # several chunks can be in one transaction of a test


def _copy(table: str, rows: Sequence[ReadyRow], made: _Made) -> None:
    moment = made.now.isoformat()
    imported_by = r"\N" if made.imported_by_id is None else str(made.imported_by_id)
    common = "\t".join([made.source.translate(_escapes), imported_by, moment, moment])
    block = "".join([f"{_copy_line(row)}\t{common}\n" for row in rows])
    statement = f"COPY {table} ({_columns}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(block)


_escapes = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_odd = re.compile(r"[\\\n\r]")


def _copy_line(row: ReadyRow) -> str:
    """The row in PostgreSQL's text format for COPY; one block of lines takes half the time of a call for each row."""
    line = "\t".join(row)
    if _odd.search(line) or line.count("\t") >= len(row):
        return "\t".join([cell.translate(_escapes) for cell in row])
    return line


def _add_members(numbers: Sequence[str], group_id: int, import_id: int | None) -> None:
    is_one, parameter = among(numbers)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_groupmembership (contact_id, group_id, imported_by_id) "
            f"SELECT id, %s, %s FROM messaging_contact WHERE number {is_one} "
            "ON CONFLICT (group_id, contact_id) DO NOTHING",
            [group_id, import_id, parameter],
        )


def _forget_overtaken(ids: Sequence[int], import_id: int) -> None:
    """Where a file has a number twice, keep the first values for an undo, also if the first row added the contact, but
    not if somebody changed the contact between the two."""
    is_one, parameter = among(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_importedchange SET written_at = NULL WHERE contact_import_id = %s "
            f"AND contact_id {is_one} AND written_at <> "
            "(SELECT updated_at FROM messaging_contact contact WHERE contact.id = messaging_importedchange.contact_id)",
            [import_id, parameter],
        )
        cursor.execute(
            f"{_insert_change} SELECT id, %s, '{{}}', NULL FROM messaging_contact WHERE id {is_one} "
            "AND imported_by_id = %s AND updated_at <> created_at ON CONFLICT DO NOTHING",
            [import_id, parameter, import_id],
        )


_insert_change = "INSERT INTO messaging_importedchange (contact_id, contact_import_id, before, written_at)"
_change_again = (
    "ON CONFLICT (contact_import_id, contact_id) DO UPDATE SET written_at = "
    "CASE WHEN messaging_importedchange.written_at IS NOT NULL THEN excluded.written_at END"
)


def _note_changes(before: dict[int, str], import_id: int, now: dt.datetime) -> None:
    """{contact: its old values}"""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"{_insert_change} SELECT given.id, %s, given.before::jsonb, %s "
                f"FROM unnest(%s::bigint[], %s::text[]) AS given(id, before) WHERE true {_change_again}",
                [import_id, now, list(before), list(before.values())],
            )
            return
        moment = connection.ops.adapt_datetimefield_value(now)
        cursor.executemany(
            f"{_insert_change} VALUES (%s, %s, %s, %s) {_change_again}",
            [(pk, import_id, was, moment) for pk, was in before.items()],
        )

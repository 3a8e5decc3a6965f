"""Writing cleaned rows to the contacts, a chunk in one transaction: added, updated or left as they are."""

import datetime as dt
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import CASCADE, DO_NOTHING, ManyToOneRel
from django.utils import timezone

from laaffic_console.kit.sql_lists import among
from messaging.contact_rows import CleanRow
from messaging.models import Contact

IMPORT_LOCK = 0x1AAFF1C  # any number, as long as it is this one
FREEZE_LOCK = IMPORT_LOCK + 1
_Values = tuple[str | int | None, ...]
COLUMNS = ["number", "validity", "name", "email", "country", "time_zones", "language", "attributes"]


@dataclass(slots=True)
class Written:
    added: int = 0
    updated: int = 0
    unchanged: int = 0


def write(rows: Sequence[CleanRow], *, source: str, group_id: int | None, import_id: int | None = None) -> Written:
    """In the caller's transaction. What a row does not say stays; of the same number in a chunk, the later row wins."""
    one_at_a_time()
    stored, ids = _stored([row.number for row in rows])
    there = dict(stored)
    written, changed = Written(), {}
    for row in rows:
        before = stored.get(row.number)
        after = row if before is None else _merged(before, row)
        if before is None:
            written.added += 1
        elif after != before:
            written.updated += 1
        else:
            written.unchanged += 1
            continue
        stored[row.number] = changed[row.number] = after
    now, found = timezone.now(), [number for number in changed if number in there]
    if import_id is not None and found:
        _forget_overtaken([ids[number] for number in found], import_id)
    _upsert(list(changed.values()), source, import_id, now, known=there)
    if import_id is not None and found:
        overwritten = {ids[number]: _overwritten(there[number], changed[number]) for number in found}
        _note_changes(overwritten, import_id, now)
    if group_id is not None:
        _add_members(list({row.number for row in rows}), group_id, import_id)
    return written


def one_at_a_time() -> None:
    """Two files with the same people would each count them as new, or wait for each other's rows for ever."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])


def keep_from_undo() -> None:
    """Whoever freezes contacts, in its transaction: no import is undone before that is committed, nor while it runs."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [FREEZE_LOCK])


def undo_alone() -> None:
    """Whoever deletes what an import added: nobody imports or freezes until that is committed."""
    one_at_a_time()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FREEZE_LOCK])


def restore(rows: Sequence[CleanRow]) -> None:
    """Put back what contacts had, in the caller's transaction, which holds them."""
    _upsert(rows, "", None, timezone.now(), known={row.number for row in rows})


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


def _stored(numbers: Sequence[str]) -> tuple[dict[str, CleanRow], dict[str, int]]:
    """What is there already, and its ids."""
    is_one, parameter = among(numbers)
    stored, ids = {}, {}
    with connection.cursor() as cursor:
        columns = ", ".join(["id", *COLUMNS])
        cursor.execute(f"SELECT {columns} FROM messaging_contact WHERE number {is_one}", [parameter])
        for pk, number, validity, name, email, country, time_zones, language, attributes in cursor.fetchall():
            said = json.loads(attributes)
            stored[number] = CleanRow(number, validity, country, time_zones, name, email, language, said)
            ids[number] = pk
    return stored, ids


def _overwritten(before: CleanRow, after: CleanRow) -> str:
    pairs = zip(CleanRow._fields, before, after, strict=True)
    return _as_json({name: was for name, was, becomes in pairs if was != becomes})


def _merged(before: CleanRow, row: CleanRow) -> CleanRow:
    return row._replace(
        name=row.name or before.name,
        email=row.email or before.email,
        language=row.language or before.language,
        attributes=_merged_attributes(before, row),
    )


def _merged_attributes(before: CleanRow, row: CleanRow) -> dict[str, str]:
    """What the row does not say stays, but a first name of its own goes with the name that it belonged to."""
    merged = {**before.attributes, **row.attributes}
    first = before.attributes.get("first_name")
    if first and row.name and "first_name" not in row.attributes and not row.name.startswith(first):
        del merged["first_name"]
    return merged


def _upsert(
    rows: Sequence[CleanRow], source: str, import_id: int | None, now: dt.datetime, known: Collection[str]
) -> None:
    if not rows:
        return
    values = [
        (
            row.number,
            row.validity,
            row.name,
            row.email,
            row.country,
            row.time_zones,
            row.language,
            _as_json(row.attributes),
            source[:120],
            import_id,
        )
        for row in rows
    ]
    if connection.vendor == "postgresql":
        _copy_and_insert(values, now)
    else:
        _insert_each([row for row in values if row[0] not in known], now, "")
        _insert_each([row for row in values if row[0] in known], now, _on_conflict)


_as_json = json.JSONEncoder(ensure_ascii=False).encode
_columns = [*COLUMNS, "source", "imported_by_id"]  # who was there already keeps these two
_insert = f"INSERT INTO messaging_contact ({', '.join([*_columns, 'created_at', 'updated_at'])})"
_on_conflict = "ON CONFLICT (number) DO UPDATE SET " + ", ".join(
    f"{column} = excluded.{column}" for column in [*COLUMNS[1:], "updated_at"]
)


def _insert_each(values: Sequence[_Values], moment: dt.datetime, otherwise: str) -> None:
    """New ones without a word of a conflict: where there may be one, SQLite prepares for the trigger of an update."""
    now = connection.ops.adapt_datetimefield_value(moment)
    marks = ", ".join(["%s"] * (len(_columns) + 2))
    with connection.cursor() as cursor:
        cursor.executemany(f"{_insert} VALUES ({marks}) {otherwise}", [(*row, now, now) for row in values])


def _copy_and_insert(values: Sequence[_Values], now: dt.datetime) -> None:
    columns = ", ".join(_columns)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS contact_import ON COMMIT DELETE ROWS "
            f"AS SELECT {columns} FROM messaging_contact WITH NO DATA"
        )
        with cursor.copy(f"COPY contact_import ({columns}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
        cursor.execute(f"{_insert} SELECT {columns}, %s, %s FROM contact_import {_on_conflict}", [now, now])
        cursor.execute("TRUNCATE contact_import")  # several chunks can be in one transaction of a test


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
    """Of a number that a file has twice the first values are kept, unless somebody has changed it between the two."""
    is_one, parameter = among(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_importedchange SET written_at = NULL WHERE contact_import_id = %s "
            f"AND contact_id {is_one} AND written_at <> "
            "(SELECT updated_at FROM messaging_contact contact WHERE contact.id = messaging_importedchange.contact_id)",
            [import_id, parameter],
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

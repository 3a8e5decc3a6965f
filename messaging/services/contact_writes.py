"""Writing cleaned rows to the contacts, a chunk in one transaction: added, updated or left as they are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import connection
from django.utils import timezone

from messaging.contact_rows import CleanRow
from messaging.models import Contact

IMPORT_LOCK = 0x1AAFF1C  # any number, as long as it is this one
COLUMNS = ["number", "validity", "name", "email", "country", "time_zones", "language", "attributes"]


@dataclass(slots=True)
class Written:
    added: int = 0
    updated: int = 0
    unchanged: int = 0


def write(rows: Sequence[CleanRow], *, source: str, group_id: int | None) -> Written:
    """In the caller's transaction. What a row does not say stays; of the same number in a chunk, the later row wins."""
    _one_import_at_a_time()
    stored = _stored([row.number for row in rows])
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
    _upsert(list(changed.values()), source)
    if group_id is not None:
        _add_members(list({row.number for row in rows}), group_id)
    return written


def _one_import_at_a_time() -> None:
    """Two files with the same people would each count them as new, or wait for each other's rows for ever."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])


def _stored(numbers: Sequence[str]) -> dict[str, CleanRow]:
    found = Contact.objects.filter(number__in=numbers).values_list(*COLUMNS)
    return {
        number: CleanRow(number, validity, country, time_zones, name, email, language, attributes)
        for number, validity, name, email, country, time_zones, language, attributes in found
    }


def _merged(before: CleanRow, row: CleanRow) -> CleanRow:
    return replace(
        row,
        name=row.name or before.name,
        email=row.email or before.email,
        language=row.language or before.language,
        attributes={**before.attributes, **row.attributes},
    )


def _upsert(rows: Sequence[CleanRow], source: str) -> None:
    if not rows:
        return
    now = timezone.now()
    columns = [*COLUMNS, "source", "created_at", "updated_at"]
    values = [
        (
            row.number,
            row.validity,
            row.name,
            row.email,
            row.country,
            row.time_zones,
            row.language,
            json.dumps(row.attributes, ensure_ascii=False),
            source[:120],
        )
        for row in rows
    ]
    overwrite = ", ".join(
        f"{column} = excluded.{column}" for column in columns if column not in ("source", "created_at", "number")
    )
    insert = f"INSERT INTO messaging_contact ({', '.join(columns)}) "
    on_conflict = f"ON CONFLICT (number) DO UPDATE SET {overwrite}"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            types = ["text"] * 7 + ["jsonb", "text"]
            arrays = ", ".join(f"%s::{kind}[]" for kind in types)
            cursor.execute(
                f"{insert} SELECT u.*, %s, %s FROM unnest({arrays}) AS u {on_conflict}",
                [now, now, *(list(column) for column in zip(*values, strict=True))],
            )
            return
        moment = connection.ops.adapt_datetimefield_value(now)
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(f"{insert} VALUES ({marks}) {on_conflict}", [(*row, moment, moment) for row in values])


def _add_members(numbers: Sequence[str], group_id: int) -> None:
    marks = ", ".join(["%s"] * len(numbers))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_groupmembership (contact_id, group_id) SELECT id, %s FROM messaging_contact "
            f"WHERE number IN ({marks}) ON CONFLICT (group_id, contact_id) DO NOTHING",
            [group_id, *numbers],
        )

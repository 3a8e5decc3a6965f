"""The middle of names and numbers: who has a word that holds these letters, or these digits, found by their trigrams.

The index itself, and the triggers that follow the contacts, are in `messaging/search_indexes.py`. Adding a contact only
notes its id; a job puts name and number into the index later, so an import is not slowed down by it. Deleting a contact
takes both out in the same statement. What the index says is a hint: a reader looks at the contact as it is now.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from django.db import connection, transaction

from laaffic_console.gateway.services.work import bell, leases, workers
from laaffic_console.kit.sql.folded_search import fold
from laaffic_console.kit.sql.sql_lists import among
from messaging import search_indexes
from messaging.search_indexes import NOTES, READ

JOB = "messaging.jobs.index_names"
LEASE = "contact names"
CHUNK = 2000
ARRAYS = 2  # PostgreSQL notes ids by thousands
TRIGRAM = 3  # letters
SLICE_CHUNKS = 200
LOOKED_AT = 101
WORDS = 5  # of a search that are compared
_accents = re.compile("[\u0300-\u036f]")


def folded(text: str) -> str:
    """Without case and without the accents of Latin, Greek and Cyrillic letters: López is found by "lopez"."""
    text = str(fold(text))
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _accents.sub("", unicodedata.normalize("NFD", text)))


def words_of(text: str) -> list[str]:
    """What a search names, folded: each has to be in the name; [] where none is long enough to be looked for."""
    words = [word for word in re.split(r"[\s,]+", folded(text)) if word][:WORDS]
    return words if any(len(word) >= TRIGRAM for word in words) else []


def holds(name: str, words: Sequence[str]) -> bool:
    """Whether this name has these words, or parts of them."""
    name = folded(name)
    return all(word in name for word in words)


def ids_with(words: Sequence[str]) -> list[int]:
    """At most LOOKED_AT contacts whose name had these in it when it was read; [] without the index."""
    if not words or not search_indexes.has_names():
        return []
    with connection.cursor() as cursor:
        cursor.execute(*(_on_postgresql(words) if connection.vendor == "postgresql" else _on_sqlite(words)))
        return [pk for (pk,) in cursor.fetchall()]


def numbers_with(digits: str) -> list[str]:
    """At most LOOKED_AT numbers that had these three digits or more in them when they were read."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Without the CTE, LIMIT makes the planner hope to come across enough by reading all of them.
            found = "WITH found AS MATERIALIZED (SELECT words FROM contact_numbers WHERE words LIKE %s)"
            cursor.execute(f"{found} SELECT words FROM found LIMIT %s", [f"%{digits}%", LOOKED_AT])
        else:
            found = "SELECT words FROM contact_numbers WHERE contact_numbers MATCH %s LIMIT %s"
            cursor.execute(found, [f'"{digits}"', LOOKED_AT])  # a phrase: its trigrams in this order
        return [number for (number,) in cursor.fetchall()]


def _on_sqlite(words: Sequence[str]) -> tuple[str, list[str | int]]:
    """Trigrams find the rows, and their text is looked at: the same three letters can be parted."""
    trigrams = {word[at : at + TRIGRAM] for word in words for at in range(len(word) - TRIGRAM + 1)}
    match = " AND ".join('"' + trigram.replace('"', '""') + '"' for trigram in sorted(trigrams))
    has = " AND ".join(["instr(words, %s) > 0"] * len(words))
    return f"SELECT rowid FROM contact_names WHERE contact_names MATCH %s AND {has} LIMIT %s", [
        match,
        *words,
        LOOKED_AT,
    ]


def _on_postgresql(words: Sequence[str]) -> tuple[str, list[str | int]]:
    has = " AND ".join(["words LIKE %s"] * len(words))
    patterns = ["%" + re.sub(r"([\\%_])", r"\\\1", word) + "%" for word in words]
    return f"SELECT rowid FROM contact_names WHERE {has} LIMIT %s", [*patterns, LOOKED_AT]


def is_waiting() -> bool:
    """Whether there are contacts that the index does not know yet."""
    return search_indexes.has_names() and bool(waiting(1))


def waiting(limit: int) -> list[int]:
    """At most `limit` contacts that the index does not know yet, or not as they are now."""
    noted = f"SELECT unnest(contact_ids) FROM {NOTES} LIMIT %s"
    if connection.vendor != "postgresql":
        behind = f"SELECT id FROM messaging_contact WHERE id > (SELECT last FROM {READ})"
        noted = f"SELECT id FROM {NOTES} UNION ALL {behind} LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(noted, [limit])
        return [pk for (pk,) in cursor.fetchall()]


def sweep() -> None:
    if is_waiting() and not leases.is_held(LEASE):
        bell.ring(JOB)


def index_waiting() -> None:
    """A job's slice: names and numbers of contacts that were added or changed, until none waits."""
    with leases.lease(LEASE) as held:
        if held is None or not search_indexes.has_names():
            return
        for _chunk in range(SLICE_CHUNKS):
            if not _index_chunk():
                search_indexes.names_are_in()
                return
            workers.beat()
            if not held.renew():
                return
        bell.ring(JOB)


@transaction.atomic
def _index_chunk() -> bool:
    """False when nothing waits."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Code that deletes contacts waits for this chunk, and then takes out of it what it deletes.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [search_indexes.NAMES_LOCK])
            cursor.execute(f"SELECT id, contact_ids FROM {NOTES} ORDER BY id LIMIT %s", [ARRAYS])
            noted = cursor.fetchall()
            rows, ids = [pk for pk, _ids in noted], sorted({pk for _pk, many in noted for pk in many})
        else:
            cursor.execute(f"SELECT id FROM {NOTES} ORDER BY id LIMIT %s", [CHUNK])
            rows = ids = [pk for (pk,) in cursor.fetchall()] or _new_on_sqlite()
        if not rows:
            return False
        is_one, parameter = among(ids)
        cursor.execute(f"SELECT id, name, number FROM messaging_contact WHERE id {is_one}", [parameter])
        found = cursor.fetchall()
        _put("contact_names", ids, {pk: folded(name) for pk, name, _number in found if name})
        _put("contact_numbers", ids, {pk: number for pk, _name, number in found})
        is_row, parameter = among(rows)
        cursor.execute(f"DELETE FROM {NOTES} WHERE id {is_row}", [parameter])
    return True


def _new_on_sqlite() -> list[int]:
    """Contacts that were added since the last ones were read; these are the last from now on."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM messaging_contact WHERE id > (SELECT last FROM {READ}) ORDER BY id LIMIT %s",
            [CHUNK],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        if ids:
            cursor.execute(f"UPDATE {READ} SET last = %s", [ids[-1]])
    return ids


def _put(table: str, ids: Sequence[int], words: Mapping[int, str]) -> None:
    """Set the words of these contacts in the index; rows that have them already stay untouched."""
    is_one, parameter = among(ids)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT rowid, words FROM {table} WHERE rowid {is_one}", [parameter])
        known = dict(cursor.fetchall())
        if old := [pk for pk, word in known.items() if words.get(pk) != word]:
            is_old, parameter = among(old)
            cursor.execute(f"DELETE FROM {table} WHERE rowid {is_old}", [parameter])
        new = [(pk, word) for pk, word in words.items() if known.get(pk) != word]
        if new and connection.vendor == "postgresql":
            given = "SELECT * FROM unnest(%s::bigint[], %s::text[])"
            cursor.execute(f"INSERT INTO {table} (rowid, words) {given}", [[pk for pk, _ in new], [w for _, w in new]])
        elif new:
            cursor.executemany(f"INSERT INTO {table} (rowid, words) VALUES (%s, %s)", new)

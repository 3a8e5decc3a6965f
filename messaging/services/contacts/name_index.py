"""The middle of names: who has a word that holds these letters, found by their trigrams.

The index itself, and the triggers that follow the contacts, are in `messaging/search_indexes.py`. Adding a contact only
notes its id; a job puts names into the index later, so an import is not slowed down by it. Deleting a contact takes its
name out in the same statement. What the index says is a hint: whoever reads it looks at the contact as it is now.
"""

import re
import unicodedata
from collections.abc import Sequence

from django.db import connection, transaction

from laaffic_console.gateway.services import bell, leases, workers
from laaffic_console.kit.folded_search import fold
from laaffic_console.kit.sql_lists import among
from messaging import search_indexes

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
    """What a search names, folded: each has to stand in the name; [] where none is long enough to be looked for."""
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
    """Whether there are names that the index does not know yet."""
    if not search_indexes.has_names():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM contact_names_waiting LIMIT 1")
        is_noted = cursor.fetchone() is not None
        if is_noted or connection.vendor == "postgresql":
            return is_noted
        cursor.execute("SELECT max(id) > (SELECT last FROM contact_names_read) FROM messaging_contact")
        return bool(cursor.fetchone()[0])


def sweep() -> None:
    if is_waiting() and not leases.is_held(LEASE):
        bell.ring(JOB)


def index_waiting() -> None:
    """A job's slice: names of contacts that were added or renamed, until none waits."""
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
            # Whoever deletes contacts waits for this chunk, and then takes out of it what it deletes.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [search_indexes.NAMES_LOCK])
            cursor.execute("SELECT id, contact_ids FROM contact_names_waiting ORDER BY id LIMIT %s", [ARRAYS])
            noted = cursor.fetchall()
            rows, ids = [pk for pk, _ids in noted], sorted({pk for _pk, many in noted for pk in many})
        else:
            cursor.execute("SELECT id FROM contact_names_waiting ORDER BY id LIMIT %s", [CHUNK])
            rows = ids = [pk for (pk,) in cursor.fetchall()] or _new_on_sqlite()
        if not rows:
            return False
        is_one, parameter = among(ids)
        cursor.execute(f"DELETE FROM contact_names WHERE rowid {is_one}", [parameter])
        cursor.execute(f"SELECT id, name FROM messaging_contact WHERE name <> '' AND id {is_one}", [parameter])
        names = [(pk, folded(name)) for pk, name in cursor.fetchall()]
        if names:
            _insert(names)
        is_row, parameter = among(rows)
        cursor.execute(f"DELETE FROM contact_names_waiting WHERE id {is_row}", [parameter])
    return True


def _new_on_sqlite() -> list[int]:
    """Contacts that were added since the last ones were read; these are the last from now on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM messaging_contact WHERE id > (SELECT last FROM contact_names_read) ORDER BY id LIMIT %s",
            [CHUNK],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        if ids:
            cursor.execute("UPDATE contact_names_read SET last = %s", [ids[-1]])
    return ids


def _insert(names: Sequence[tuple[int, str]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            ids, words = zip(*names, strict=True)
            given = "unnest(%s::bigint[], %s::text[])"
            cursor.execute(f"INSERT INTO contact_names (rowid, words) SELECT * FROM {given}", [list(ids), list(words)])
        else:
            cursor.executemany("INSERT INTO contact_names (rowid, words) VALUES (%s, %s)", names)

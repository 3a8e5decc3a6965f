"""How a database is copied while others use it, and how a copy takes the place of what is there."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from django.db import connection
from django.utils.translation import gettext as _

from laaffic_console.backups.services import alone
from laaffic_console.backups.services.archives import PIECE, Written, pieces_of
from laaffic_console.kit.files import leftovers

SQLITE, POSTGRESQL = "sqlite", "postgresql"
PARTS = {SQLITE: "database.sqlite3", POSTGRESQL: "database.dump"}
KINDS = {SQLITE: "SQLite", POSTGRESQL: "PostgreSQL"}

# Two restores of one database, from whichever machines, exclude each other; what is there goes whole.
_PRELUDE = f"""
BEGIN;
SET LOCAL lock_timeout = '30s';
SET client_min_messages = warning;
DO $$ DECLARE found text; BEGIN
  IF NOT pg_try_advisory_xact_lock({alone.KEY}) THEN RAISE EXCEPTION 'another restore or upgrade is running'; END IF;
  FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('DROP TABLE IF EXISTS public.%I CASCADE', found);
  END LOOP;
  DROP FUNCTION IF EXISTS public.contact_names_follow();
END $$;
"""  # noqa: S608 - a number of ours


class CannotCopy(Exception):
    """One sentence: what is missing, and what to do."""


def write_into(archive: Written, beside: Path) -> None:
    """The database as it is at one moment, while others write to it."""
    part = PARTS[connection.vendor]
    if connection.vendor == POSTGRESQL:
        archive.add(part, _dumped(), is_packed=True)
        return
    copy = beside.with_name(leftovers.name_beside(beside.stem))  # the backup itself is written under such a name too
    try:
        copy.touch(mode=0o600)
        # All pages in one go: step by step it would begin again at every write of a running campaign.
        with _opened(_file()) as source, _opened(copy) as target:
            source.backup(target)
        with copy.open("rb") as copied:
            archive.add(part, pieces_of(copied))
    except sqlite3.Error as problem:
        said = "The database cannot be copied: %(why)s. Is there room for it on the disk of the backup?"
        raise CannotCopy(said % {"why": problem}) from problem
    finally:
        for ending in ("", "-journal"):  # the second is left where the disk was full
            copy.with_name(copy.name + ending).unlink(missing_ok=True)


def replace_sqlite(copy: Path) -> None:
    """SQLite's own backup writes it in one transaction: a killed one leaves what was there before."""
    connection.close()
    with _opened(copy) as source, _opened(_file()) as target:
        source.backup(target)


@contextlib.contextmanager
def looking_at(copy: Path) -> Iterator[None]:
    """Models and migrations work on this SQLite file instead of the console's database."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(copy)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def tables_in(dump: Path) -> set[str]:
    """The tables of the schema that is restored (public), by the dump's own list."""
    words = [line.split() for line in _told_by("pg_restore", "--list", str(dump)).splitlines() if line[:1] != ";"]
    return {one[5] for one in words if one[3:5] == ["TABLE", "public"]}


def migrations_in(dump: Path) -> set[str]:
    """The migrations ("app.name") that are applied in the dump, by its own rows."""
    sql = _told_by("pg_restore", "--data-only", "--table=django_migrations", "--file=-", str(dump))
    rows = [line.split("\t") for line in sql.splitlines()]
    return {f"{row[1]}.{row[2]}" for row in rows if len(row) == 4}


def _told_by(name: str, *arguments: str) -> str:
    with tempfile.TemporaryFile() as said, _tool(name, *arguments, said=said) as tool:
        told = _output_of(tool).read()
        if tool.wait() != 0:
            raise CannotCopy(
                _("PostgreSQL did not take the backup, and nothing has changed: %(why)s") % {"why": _first_line(said)}
            )
    return told.decode(errors="replace")


def replace_postgresql(dump: Path, then: str) -> None:
    """Restore the dump in one transaction, with the SQL `then` at its end; what fails changes nothing."""
    connection.close()
    arguments = ("--no-owner", "--no-privileges", "--file=-", str(dump))
    with tempfile.TemporaryFile() as said:
        with _tool("pg_restore", *arguments, said=said) as restored, _psql(said) as written:
            with contextlib.suppress(BrokenPipeError), _input_of(written) as sql:
                sql.write(_PRELUDE.encode())
                shutil.copyfileobj(_output_of(restored), sql, PIECE)
                if restored.wait() == 0:  # without COMMIT nothing has happened
                    sql.write(f"\n{then}\nCOMMIT;\n".encode())
            _output_of(restored).close()
        if written.returncode or restored.returncode:
            raise CannotCopy(_not_taken(_first_line(said)))
    _count_rows()


def _count_rows() -> None:
    """A dump holds no statistics: until PostgreSQL gathers them by itself, it takes each table for a small one, and a
    report that it should find by an index takes as long as reading the table."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _not_taken(why: str) -> str:
    if "lock timeout" in why:  # for half a minute: a backup reads every table to its end
        return _(
            "Something else has used the database all the time, and nothing has changed. Wait until a backup that is "
            "being written has ended, stop every worker and web process, then restore once more."
        )
    return _("PostgreSQL did not take the backup, and nothing has changed: %(why)s") % {"why": why}


def _psql(said: BinaryIO) -> "subprocess.Popen[bytes]":
    quietly = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull)
    return _tool("psql", *quietly, said=said, stdin=subprocess.PIPE)


def _dumped() -> Iterator[bytes]:
    how = ("--format=custom", "--no-owner", "--no-privileges", "--no-comments")
    with tempfile.TemporaryFile() as said, _tool("pg_dump", *how, said=said) as dump:
        while piece := _output_of(dump).read(PIECE):
            yield piece
        if dump.wait() != 0:
            raise CannotCopy(_("pg_dump failed: %(why)s") % {"why": _first_line(said)})


def _tool(name: str, *arguments: str, said: BinaryIO, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    """Start a tool. Its complaints go into the file `said`: a pipe that nobody reads would stop it."""
    program = shutil.which(name)
    if program is None:
        missing = _("%(tool)s is not on this machine. Install PostgreSQL's client (postgresql-client), then try again.")
        raise CannotCopy(missing % {"tool": name})
    return subprocess.Popen(  # noqa: S603 - the program is found by its name, and no shell reads the arguments
        [program, *arguments], stdin=stdin, stdout=subprocess.PIPE, stderr=said, env=_environment()
    )


def _output_of(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    return process.stdout


def _input_of(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    assert process.stdin is not None  # noqa: S101 - it was asked for
    return process.stdin


def _environment() -> dict[str, str]:
    """The database's address and password as environment variables: others on the machine could read arguments."""
    from psycopg import pq  # loads libpq, which an installation with SQLite can do without

    used: dict[str, Any] = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    given = {variable: str(used[name]) for variable, name in names.items() if used.get(name)}
    # Django's own options beside them, such as its pool, are none of libpq's.
    by_keyword = {one.keyword.decode(): one.envvar.decode() for one in pq.Conninfo.get_defaults() if one.envvar}
    options = used.get("OPTIONS", {})
    given |= {by_keyword[name]: str(value) for name, value in options.items() if name in by_keyword}
    return {**os.environ, **given}


def _first_line(said: BinaryIO) -> str:
    said.seek(0)
    lines = said.read(4096).decode(errors="replace").strip().splitlines()
    return lines[0][:300] if lines else "?"


def _file() -> str:
    return str(connection.settings_dict["NAME"])


@contextlib.contextmanager
def _opened(path: str | Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(path, timeout=20)
    try:
        yield opened
    finally:
        opened.close()

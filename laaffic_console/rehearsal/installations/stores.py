"""A database and a queue of a rehearsal's own: made for it, and gone with it."""

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql


class NotOurs(Exception):
    """What was named cannot be used; the sentence says why and what to do."""


@contextlib.contextmanager
def database(named: str, folder: Path, *, keep: bool) -> Iterator[str]:
    """`named` is "sqlite", or a PostgreSQL server on which a database is made; its address.

    With a name behind it ("sqlite:FILE", "postgres://host/NAME") it begins as a copy of that one.
    """
    kind, _colon, template = named.partition(":")
    if kind == "sqlite":
        file = folder / "console.sqlite3"
        if template:
            _copied(Path(template), file)
        yield f"sqlite:///{file}"
        return
    parts = urlsplit(named)
    if parts.scheme not in ("postgres", "postgresql"):
        raise NotOurs(f"--database is “{named}”. Use sqlite, or postgres://user@host:port/ of a server.")
    server = urlunsplit(parts._replace(scheme="postgresql", path="/postgres"))
    name = f"rehearsal_{uuid.uuid4().hex[:12]}"
    try:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(_creation(name, parts.path.strip("/")))
    except psycopg.Error as problem:
        raise NotOurs(f"No database can be made at {parts.hostname}: {problem}".strip()) from problem
    try:
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        if not keep:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _copied(template: Path, file: Path) -> None:
    """Copy by SQLite itself, so that what is still in the write-ahead log comes along."""
    if not template.is_file():
        raise NotOurs(f"There is no SQLite database at {template}. Name one that is there, or --database sqlite.")
    with contextlib.closing(sqlite3.connect(template)) as source, contextlib.closing(sqlite3.connect(file)) as copy:
        source.backup(copy)


def _creation(name: str, template: str) -> sql.Composed:
    creation = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    return creation + sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else creation


@contextlib.contextmanager
def queue(named: str, *, keep: bool) -> Iterator[str]:
    """An empty Redis database, empty again afterwards; "" is the queue inside the database."""
    if not named:
        yield ""
        return
    client = redis.Redis.from_url(named)
    try:
        kept = client.dbsize()
    except redis.RedisError as problem:
        raise NotOurs(f"Redis does not answer at {named}: {problem}") from problem
    if kept:
        raise NotOurs(f"{named} holds {kept} keys. Name a Redis database that is empty, such as …/13.")
    try:
        yield named
    finally:
        if not keep:
            client.flushdb()
        client.close()

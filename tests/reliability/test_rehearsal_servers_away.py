"""A server that is away for a while, seen from its client."""

import contextlib
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from laaffic_console.rehearsal.installations import servers_away


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says again what it hears."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(client: socket.socket) -> None:
        with client:
            while heard := client.recv(100):
                client.sendall(heard)

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=[client], daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def said_back(connection: socket.socket) -> bytes:
    connection.settimeout(5)
    connection.sendall(b"hello")
    return connection.recv(100)


def connect(relay: servers_away.Relay) -> socket.socket:
    return socket.create_connection(("127.0.0.1", relay.port), timeout=5)


class RelayTests:
    def test_it_breaks_what_is_open_takes_nothing_new_and_comes_back(self, echo: int) -> None:
        relay = servers_away.Relay("127.0.0.1", echo)
        with connect(relay) as before:
            assert said_back(before) == b"hello"

            with servers_away.down(relay):
                with pytest.raises(OSError, match=r".*"):
                    connect(relay)
                with contextlib.suppress(ConnectionError):
                    assert before.recv(100) == b""

        with connect(relay) as after:
            assert said_back(after) == b"hello"
        relay.go_down()

    def test_an_address_leads_through_it_with_everything_else_kept(self, echo: int) -> None:
        url, relay = servers_away.through(f"postgres://ann:secret@127.0.0.1:{echo}/console", 5432)

        assert url == f"postgres://ann:secret@127.0.0.1:{relay.port}/console"
        relay.go_down()


def test_a_locked_database_can_be_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "console.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE t (n)")
    database.close()
    other = sqlite3.connect(path, timeout=0.1, isolation_level=None)

    with servers_away.locked(path):
        assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO t VALUES (1)")

    other.execute("INSERT INTO t VALUES (1)")
    other.close()

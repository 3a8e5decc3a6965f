"""A database or a queue that is gone for a while, without touching the server that others may use."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from socket import SHUT_RDWR, create_connection, create_server, socket
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536


class Relay:
    """A port on this machine that leads to a server; while it is down, connections break and none is taken."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.open: set[socket] = set()
        self.lock = threading.Lock()
        self.listener: socket | None = create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._take, args=[self.listener], daemon=True).start()

    def go_down(self) -> None:
        if self.listener is not None:
            _break_off(self.listener)
            self.listener = None
        with self.lock:
            broken, self.open = self.open, set()
        for connection in broken:
            _break_off(connection)

    def come_back(self) -> None:
        if self.listener is None:
            self.listener = create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._take, args=[self.listener], daemon=True).start()

    def _take(self, listener: socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                if self.listener is not listener:
                    _break_off(client)
                    return
                self._join(client)

    def _join(self, client: socket) -> None:
        try:
            server = create_connection(self.target, timeout=5)
        except OSError:
            _break_off(client)
            return
        server.settimeout(None)
        with self.lock:
            self.open |= {client, server}
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._carry, args=[source, sink], daemon=True).start()

    def _carry(self, source: socket, sink: socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                sink.sendall(data)
        with self.lock:
            self.open -= {source, sink}
        _break_off(source)
        _break_off(sink)


def _break_off(connection: socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(SHUT_RDWR)
    connection.close()


def through(url: str, default_port: int) -> tuple[str, Relay]:
    """The same address through a relay, and the relay."""
    parts = urlsplit(url)
    relay = Relay(parts.hostname or "127.0.0.1", parts.port or default_port)
    before_host = parts.netloc.rpartition("@")[0]
    netloc = f"{before_host}@127.0.0.1:{relay.port}" if before_host else f"127.0.0.1:{relay.port}"
    return urlunsplit(parts._replace(netloc=netloc)), relay


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """SQLite has no server to stop: somebody holds its only write lock instead."""
    database = sqlite3.connect(path, timeout=120, isolation_level=None)  # many writers leave it few gaps
    try:
        database.execute("BEGIN EXCLUSIVE")
        yield
        database.execute("ROLLBACK")
    finally:
        database.close()


@contextlib.contextmanager
def down(relay: Relay) -> Iterator[None]:
    relay.go_down()
    try:
        yield
    finally:
        relay.come_back()

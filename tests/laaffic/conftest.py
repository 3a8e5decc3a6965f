"""A gateway of bare sockets: answers what a test scripts, byte for byte, and keeps what it was asked."""

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from laaffic_console.laaffic import LaafficClient
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import RunningSandbox, running_sandbox
from tests.sandbox.conftest import Receiver

KEY, SECRET, NOW = "bDqJFiq9", "7bz1lzh9", 1630468800.0
TIMEOUTS = (10.0, 2.0)

Act = Callable[[socket.socket], bool]  # whether the connection stays open


@dataclass(frozen=True)
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedGateway:
    def __init__(self) -> None:
        self.script: list[Act] = []
        self.always: Act = answer({"status": "0", "reason": "success"})
        self.received: list[Received] = []
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v3"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def will(self, *acts: Act) -> None:
        self.script += acts

    def client(self, **given: Any) -> LaafficClient:
        settings = {"clock": lambda: NOW, "timeouts": TIMEOUTS, "base_url": self.base_url} | given
        return LaafficClient(api_key=KEY, api_secret=SECRET, **settings)

    def close_connections(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(5)
        self._listener.close()
        self.close_connections()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            while (request := read_request(connection, number)) is not None:
                self.received.append(request)
                act = self.script.pop(0) if self.script else self.always
                if not act(connection):
                    return


def read_request(connection: socket.socket, number: int) -> Received | None:
    raw = b""
    while b"\r\n\r\n" not in raw:
        more = connection.recv(65536)
        if not more:
            return None
        raw += more
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    while len(body) < int(headers.get("Content-Length", 0)):
        body += connection.recv(65536)
    return Received(method, target, headers, body, number)


def raw(
    body: bytes,
    *,
    status: str = "200 OK",
    content_type: str = "application/json",
    length: int | None = None,
    **headers: str,
) -> Act:
    """An answer as it stands; a Content-Length that is not the body's promises more than comes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}"]
    lines += [f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"

    def act(connection: socket.socket) -> bool:
        connection.sendall(head + body)
        return length is None

    return act


def answer(body: object, **more: Any) -> Act:
    return raw(json.dumps(body).encode(), **more)


def hang(connection: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        connection.recv(1)
    return False


def reset(connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def close(connection: socket.socket) -> bool:
    return False


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it did not come true in time"
        time.sleep(0.01)


@pytest.fixture
def gateway() -> Iterator[ScriptedGateway]:
    running = ScriptedGateway()
    yield running
    running.stop()


@pytest.fixture
def client(gateway: ScriptedGateway) -> LaafficClient:
    return gateway.client()


@pytest.fixture
def start_sandbox() -> Iterator[Callable[..., RunningSandbox]]:
    """Start a sandbox with options of the test's own."""
    with contextlib.ExitStack() as stack:

        def begin(**options: Any) -> RunningSandbox:
            fast: dict[str, Any] = {"queue_time": 0.0, "delivery_delay": (0.0, 0.0), "email_callback_delay": 0.0}
            return stack.enter_context(running_sandbox(Options(**(fast | options))))

        yield begin


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()

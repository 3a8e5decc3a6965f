"""The sandbox spoken to as a stranger would: plain requests, signatures made here."""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import RunningSandbox, running_sandbox

APP_ID = "4luaKsL2"
KEY, SECRET = "sandbox-key", "sandbox-secret"


def signed(
    *, key: str = KEY, secret: str = SECRET, at: float | None = None, stamp: str | None = None, **changed: str | None
) -> dict[str, str]:
    """The headers of a call; `changed` replaces some by name, or with None leaves them out."""
    stamp = stamp if stamp is not None else str(int(time.time() if at is None else at))
    headers = {
        "Content-Type": "application/json;charset=UTF-8",
        "Api-Key": key,
        "Timestamp": stamp,
        "Sign": hashlib.md5(f"{key}{secret}{stamp}".encode()).hexdigest(),
    }
    kept = headers | {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in kept.items() if value is not None}


class Caller:
    """A client of one sandbox that knows nothing but HTTP."""

    def __init__(self, running: RunningSandbox) -> None:
        self.running = running
        self.session = requests.Session()
        self.session.trust_env = False

    def raw(self, method: str, path: str, **more: Any) -> requests.Response:
        more.setdefault("headers", signed())
        return self.session.request(method, f"{self.running.base_url}{path}", timeout=more.pop("timeout", 5), **more)

    def get(self, path: str, **params: str | int) -> dict[str, Any]:
        return dict(self.raw("GET", path, params=params).json())

    def post(self, path: str, body: object) -> dict[str, Any]:
        return dict(self.raw("POST", path, json=body).json())

    def send(self, *numbers: str, **changed: Any) -> dict[str, Any]:
        return self.post("/sendSms", message(*numbers, **changed))

    def door(self, method: str, path: str, **more: Any) -> requests.Response:
        """What the vendor has not: the sandbox's own doors."""
        return self.session.request(method, f"{self.running.url}/sandbox{path}", timeout=5, **more)


def message(*numbers: str, **changed: Any) -> dict[str, Any]:
    body = {
        "appId": APP_ID,
        "numbers": ",".join(numbers),
        "content": "hello world",
        "senderId": "123",
        "orderId": ",".join(f"o-{number}" for number in numbers),
    }
    return {name: value for name, value in (body | changed).items() if value is not None}


def wait_for(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `look` finds as soon as it finds something."""
    limit = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < limit, "it did not come in time"
        time.sleep(0.02)
    return found


@pytest.fixture
def start() -> Iterator[Callable[..., Caller]]:
    """Start a sandbox with options of the test's own."""
    with contextlib.ExitStack() as stack:

        def begin(**options: Any) -> Caller:
            caller = Caller(stack.enter_context(running_sandbox(Options(**options))))
            stack.callback(caller.session.close)
            return caller

        yield begin


@pytest.fixture
def caller(start: Callable[..., Caller]) -> Caller:
    """One whose messages are delivered at once."""
    return start(delivery_delay=(0.0, 0.0), queue_time=0.0, delivery_rate=1.0)


class Receiver:
    """Somebody's callback: keeps each body that was pushed, answers with what `statuses` says, else 200."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.headers.append(dict(self.headers))
                receiver.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/callback"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)

    def reports(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for body in list(self.bodies):
            inner = body.get("array", [body]) if isinstance(body, dict) else body
            found += inner
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()

"""A sandbox in a thread of this process, reached over HTTP like any other: for tests of the whole product."""

import asyncio
import contextlib
import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.server import Sandbox


class RunningSandbox:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = f"http://127.0.0.1:{sandbox.port}"
        self.base_url = f"{self.url}/v3"

    def stats(self) -> dict[str, Any]:
        return self._ask("GET", "/sandbox/stats")

    def messages(self, **query: str | int) -> list[dict[str, Any]]:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return list(self._ask("GET", f"/sandbox/messages?{asked}")["messages"])

    def log(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/sandbox/log", timeout=30) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def set_faults(self, **faults: Any) -> None:
        self._ask("POST", "/sandbox/faults", faults)

    def clear_faults(self) -> None:
        self._ask("DELETE", "/sandbox/faults")

    def go_down(self, seconds: float) -> None:
        self._ask("POST", "/sandbox/down", {"seconds": seconds})

    def cut(self) -> int:
        """Cut every connection; how many there were."""
        return int(self._ask("POST", "/sandbox/cut")["cut"])

    def progress(self) -> int:
        """How many messages were accepted so far."""
        return int(self._ask("GET", "/sandbox/progress")["accepted"])

    def reset(self) -> None:
        self._ask("POST", "/sandbox/reset")

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}{path}", data=data, method=method, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            parsed: dict[str, Any] = json.loads(answer.read())
            return parsed


@contextlib.contextmanager
def running_sandbox(options: Options | None = None, port: int = 0) -> Iterator[RunningSandbox]:
    sandbox = Sandbox(options or Options())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listener = socket.create_server(("127.0.0.1", port))
    runner = asyncio.run_coroutine_threadsafe(sandbox.start(listener), loop).result(10)
    try:
        yield RunningSandbox(sandbox)
    finally:
        asyncio.run_coroutine_threadsafe(runner.shutdown(), loop).result(10)
        asyncio.run_coroutine_threadsafe(_cleanup(runner), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _cleanup(runner: Any) -> None:
    hanging = [t for t in asyncio.all_tasks() if t is not asyncio.current_task() and "start" in repr(t.get_coro())]
    for task in hanging:
        task.cancel()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(runner.cleanup(), 5)

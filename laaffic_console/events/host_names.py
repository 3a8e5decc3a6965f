"""Host names looked up within a time limit. The system's resolver may take half a minute and cannot be cancelled, so it
runs in a daemon thread, one for each name, shared by all who ask for that name.
"""

import socket
import threading
import time
from collections.abc import Callable

SECONDS = 5.0
LOOK_EVERY = 0.05


class TooSlow(Exception):
    """No name server has answered in time."""


class GivenUp(Exception):
    """The caller no longer wants the answer."""


class _Lookup:
    def __init__(self, host: str, port: int) -> None:
        self.asked = host, port
        self.ended = threading.Event()
        self.found: list[str] = []
        self.problem: Exception | None = None
        threading.Thread(target=self._run, name=f"lookup-{host[:40]}", daemon=True).start()

    def _run(self) -> None:
        try:
            found = socket.getaddrinfo(*self.asked, type=socket.SOCK_STREAM)
            self.found = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        except Exception as problem:
            self.problem = problem
        with _lock:
            _running.pop(self.asked, None)
        self.ended.set()


_lock = threading.Lock()
_running: dict[tuple[str, int], _Lookup] = {}


def addresses_of(host: str, port: int, is_given_up: Callable[[], bool] = lambda: False) -> list[str]:
    """TooSlow or GivenUp where it takes too long; OSError or UnicodeError where there is none."""
    lookup, until = _begun(host, port), time.monotonic() + SECONDS
    while not lookup.ended.wait(LOOK_EVERY):
        if is_given_up():
            raise GivenUp
        if time.monotonic() > until:
            raise TooSlow
    if lookup.problem is not None:
        raise lookup.problem
    return lookup.found


def _begun(host: str, port: int) -> _Lookup:
    with _lock:
        if (host, port) not in _running:
            _running[host, port] = _Lookup(host, port)
        return _running[host, port]

"""One POST to an address that was judged: no redirect is followed, no answer is read beyond 64 KB, nothing lasts longer
than ten seconds, however slowly it drips.

Requests and urllib3 resolve a name themselves, after it was judged; here the connection is made to what was judged, and
the name stays in Host and in TLS. It also posts three times as many a second.
"""

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from laaffic_console.events import addresses, host_names
from laaffic_console.events.addresses import NotReachable, Target

SECONDS = 10.0
CONNECT_SECONDS = 5.0
READ_AT_MOST = 64 * 1024
LONGEST_WAIT = 3600.0  # of what Retry-After may ask for
OK, GONE, TOO_MANY, UNAVAILABLE = range(200, 300), 410, 429, 503


@dataclass(frozen=True, slots=True)
class Answer:
    status: int | None = None
    problem: str = ""  # a code of `outcomes`; "": it took the event
    detail: str = ""
    ms: int = 0
    wait: float = 0.0  # seconds that it asks for


@dataclass(slots=True)
class Patience:
    """What a posting thread may still wait for. Another thread takes it away."""

    for_names: bool = True  # nothing has been sent yet
    for_answers: bool = True


class Line:
    """A connection to one target, kept open from one event to the next; used by one thread at a time."""

    def __init__(self, target: Target, patience: Patience | None = None) -> None:
        self.target = target
        self.patience = patience or Patience()
        self.connection: http.client.HTTPConnection | None = None
        self.began: float | None = None  # of what is being posted
        self.is_cut = False

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer | None:
        """The answer; None where nobody waited for its end: that says nothing about the target, and is posted again."""
        self.began, self.is_cut = time.monotonic(), False
        began = self.began
        try:
            answer = self._post(body, headers)
        except host_names.GivenUp:
            self.close()
            return None
        except NotReachable as problem:
            self.close()  # a request that was begun cannot be begun again
            answer = Answer(problem=problem.code, detail=problem.detail)
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            answer = self._failed(problem)
        finally:
            self.began = None
            if not self.patience.for_answers:
                self.close()
        if answer.problem and not self.patience.for_answers:
            return None
        took = int((time.monotonic() - began) * 1000)
        return Answer(answer.status, answer.problem, answer.detail[:200], took, answer.wait)

    def cut_if_overdue(self) -> None:
        """Called from another thread: a timeout of the socket counts again from each byte that arrives."""
        if self.began is not None and time.monotonic() - self.began > SECONDS:
            self.is_cut = True
            _shut(self.connection)

    def leave(self) -> None:
        """Called from another thread once the patience has ended: the posting thread wakes, and does not try again."""
        self.is_cut = True
        _shut(self.connection)
        if self.began is None:
            self.close()

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    def _post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        was_open = self.connection is not None and self.connection.sock is not None
        try:
            response = self._ask(body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            if not was_open or self.is_cut:
                raise
            self.close()  # it had hung up between two events
            response = self._ask(body, headers)
        read = len(response.read(READ_AT_MOST + 1))
        if read > READ_AT_MOST or response.will_close:
            self.close()
        return _judged(response)

    def _ask(self, body: bytes, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        if self.connection is None:
            self.connection = _connection(self.target, self.patience)
        self.connection.request("POST", self.target.path, body, {**headers, "Host": self.target.host_header})
        return self.connection.getresponse()

    def _failed(self, problem: Exception) -> Answer:
        words = f"{type(problem).__name__}: {problem}"[:200]
        if self.is_cut or isinstance(problem, TimeoutError):
            return Answer(problem="timeout", detail=f"{SECONDS:.0f}")
        if isinstance(problem, ssl.SSLError):
            return Answer(problem="tls", detail=problem.reason or words)
        if isinstance(problem, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError):
            return Answer(problem="broken", detail=type(problem).__name__)
        if isinstance(problem, http.client.HTTPException):
            return Answer(problem="unreadable", detail=type(problem).__name__)
        return Answer(problem="unreachable", detail=getattr(problem, "strerror", None) or words)


def _judged(response: http.client.HTTPResponse) -> Answer:
    status = response.status
    if status in OK:
        return Answer(status)
    if status == GONE:
        return Answer(status, "gone")
    if 300 <= status < 400:
        return Answer(status, "redirect", f"{status}")
    wait = _wait(response.headers.get("Retry-After", "")) if status in (TOO_MANY, UNAVAILABLE) else 0.0
    return Answer(status, "status", f"{status}", wait=wait)


def _wait(said: str) -> float:
    return min(float(said), LONGEST_WAIT) if said.isdecimal() and said.isascii() else 0.0


def _connection(target: Target, patience: Patience) -> http.client.HTTPConnection:
    return _Tls(target, patience) if target.is_https else _Plain(target, patience)


class _Plain(http.client.HTTPConnection):
    def __init__(self, target: Target, patience: Patience) -> None:
        super().__init__(target.host, target.port, timeout=SECONDS)
        self.target, self.patience = target, patience

    def connect(self) -> None:
        """Connect to an address that was judged in this very moment."""
        self.sock = _connected(self.target, self.patience)
        self.sock.settimeout(SECONDS)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.patience.for_answers:  # it was left while it connected: nothing may be sent any more
            raise host_names.GivenUp


class _Tls(_Plain):
    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(CONNECT_SECONDS)
        self.sock = _tls().wrap_socket(self.sock, server_hostname=self.target.host)
        self.sock.settimeout(SECONDS)


def _connected(target: Target, patience: Patience) -> socket.socket:
    found = addresses.resolve(target, lambda: not patience.for_names)
    for position, address in enumerate(found):
        try:
            return socket.create_connection((address, target.port), timeout=CONNECT_SECONDS / len(found))
        except OSError:
            if position == len(found) - 1:
                raise
    raise NotReachable("name", target.host[:100])


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _shut(connection: http.client.HTTPConnection | None) -> None:
    sock = connection.sock if connection is not None else None
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

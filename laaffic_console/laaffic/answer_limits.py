"""How long and how large an answer may be: the limit of `requests` is for each piece, and one byte a second keeps it.

The limit is the thread's, set before its request: a session's connections are used by one thread (`transport`).
"""

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

LARGEST = 64 * 1024 * 1024  # bytes, decoded; 50,000 records are about 6 MB
PIECE = 64 * 1024

_of_thread = threading.local()


class TooLarge(requests.RequestException):
    """An answer that goes on beyond LARGEST."""


@contextmanager
def until(moment: float) -> Iterator[None]:
    """Answers that are read within end by this moment of the monotonic clock, with an error as of any time limit."""
    _of_thread.until = moment
    try:
        yield
    finally:
        _of_thread.until = None


def content(answer: requests.Response) -> bytes:
    """The decoded body; the connection is closed where it is too large, as what follows would be read as an answer."""
    size, pieces = 0, []
    for piece in answer.iter_content(PIECE):
        size += len(piece)
        if size > LARGEST:
            answer.close()
            raise TooLarge(f"more than {LARGEST // 1024 // 1024} MB")
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class LimitedResponse(http.client.HTTPResponse):
    """The answer on a connection, its head too."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        moment = getattr(_of_thread, "until", None)
        if moment is not None:
            self.fp = io.BufferedReader(_Limited(self.fp.detach(), sock, moment))


class _Limited(io.RawIOBase):
    """What comes on a socket until a moment, or for as long as one piece may take, whichever is later."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, moment: float) -> None:
        self.raw = raw
        self.sock = sock
        self.each = sock.gettimeout()
        self.moment = max(moment, time.monotonic() + (self.each or 0.0))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.moment - time.monotonic()
        if self.each is None or left >= self.each:
            return self.raw.readinto(buffer)
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self.sock.settimeout(left)
        try:
            return self.raw.readinto(buffer)
        finally:
            self.sock.settimeout(self.each)  # the next request is written with it

    def close(self) -> None:
        if not self.closed:
            self.raw.close()
        super().close()

"""gunicorn's thread worker, in which a slow client holds a socket and no thread.

A connection gets a thread once its whole header has arrived, and loses it after the answer: the rest of a refused body
is not waited for. An accepted body is still read by a thread, as slowly as it arrives; a buffering proxy prevents that
(deploy/nginx.conf).
"""

import contextlib
import socket
import time
from typing import Any

from gunicorn.workers import gthread

HEADER_SECONDS = 20.0  # from the connection's beginning to the end of its header
PEEKED = 64 * 1024  # more header than gunicorn takes


class PatientWorker(gthread.ThreadWorker):
    def handle(self, conn: Any) -> Any:
        if conn.initialized or header_is_whole(conn.sock):
            return super().handle(conn)
        conn.begun = getattr(conn, "begun", None) or time.monotonic()
        return gthread._DEFER if time.monotonic() < conn.begun + HEADER_SECONDS else False

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Close at once a connection on which nothing more is sent: lingering would keep all others waiting."""
        if not fs.cancelled() and fs.exception() is None and fs.result() is False:
            self.nr_conns -= 1
            take_what_has_come(conn.sock)
            conn.close()
            return
        super().finish_request(conn, fs)

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        """Whether the body has been read or, unread, has arrived: the rest of it is not waited for."""
        if not keepalive:
            return False
        conn.sock.setblocking(False)  # a deadline would do as well, but one that is past reads nothing at all
        try:
            return bool(conn.parser.finish_body(max_bytes=PEEKED))
        except BlockingIOError:
            return False


def take_what_has_come(sock: socket.socket) -> None:
    """Read what is there by now, and no more: unread bytes would make the system cut the answer off."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(PEEKED, socket.MSG_DONTWAIT):
            pass


def header_is_whole(sock: socket.socket) -> bool:
    """Whether the header has come, or the client has gone. Else the socket is readable again once more has come."""
    try:
        come = sock.recv(PEEKED, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    is_whole = not come or b"\r\n\r\n" in come or len(come) >= PEEKED
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 if is_whole else len(come) + 1)
    return is_whole

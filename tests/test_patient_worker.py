"""A slow client holds a socket and no thread."""

import select
import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn import http
from gunicorn.config import Config
from gunicorn.workers import gthread

from laaffic_console import patient_worker
from laaffic_console.conf import BASE_DIR
from laaffic_console.patient_worker import PatientWorker, header_is_whole


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The client's end and ours, over TCP as in earnest."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ours, _address = listener.accept()
    with client, ours:
        yield client, ours


@pytest.fixture
def worker() -> PatientWorker:
    return PatientWorker.__new__(PatientWorker)


def sent(client: socket.socket, ours: socket.socket, piece: bytes) -> None:
    client.sendall(piece)
    select.select([ours], [], [], 5)


def test_nothing_and_half_a_header_wait(pair: Any) -> None:
    client, ours = pair

    assert not header_is_whole(ours)
    sent(client, ours, b"GET / HTTP/1.1\r\nHost")
    assert not header_is_whole(ours)


def test_half_a_header_does_not_wake_anybody_again_until_more_comes(pair: Any) -> None:
    client, ours = pair
    sent(client, ours, b"GET / HT")
    header_is_whole(ours)

    assert select.select([ours], [], [], 0)[0] == []
    sent(client, ours, b"T")
    assert select.select([ours], [], [], 0)[0] == [ours]


@pytest.mark.parametrize("piece", [b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_whole_header_goes_on_and_nothing_of_it_is_lost(pair: Any, piece: bytes) -> None:
    client, ours = pair
    sent(client, ours, piece)

    assert header_is_whole(ours)
    assert ours.recv(1000) == piece


def test_one_that_has_gone_is_not_waited_for(pair: Any) -> None:
    client, ours = pair
    client.close()
    select.select([ours], [], [], 5)

    assert header_is_whole(ours)


def test_a_trickler_is_put_aside_and_closed_in_the_end(pair: Any, worker: PatientWorker) -> None:
    conn = SimpleNamespace(sock=pair[1], initialized=False)

    assert worker.handle(conn) is gthread._DEFER
    conn.begun = time.monotonic() - patient_worker.HEADER_SECONDS - 1
    assert worker.handle(conn) is False


def parser_of(client: socket.socket, ours: socket.socket, request: bytes) -> Any:
    """As gunicorn has it when the header was read and nobody has looked at the body."""
    sent(client, ours, request)
    parser = http.get_parser(Config(), ours, ("127.0.0.1", 1))
    next(parser)
    return parser


REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "read", "stays"),
    [(b"123456789", 9, True), (b"123456789", 0, True), (b"1234", 0, False), (b"123456789", 4, True)],
    ids=["read", "arrived", "half arrived", "half read"],
)
def test_a_connection_is_kept_for_the_next_request_where_the_body_has_come(
    pair: Any, worker: PatientWorker, body: bytes, read: int, stays: bool
) -> None:
    parser = parser_of(*pair, REQUEST + body)
    parser.mesg.body.read(read)

    begun = time.monotonic()
    assert worker._keepalive_after(SimpleNamespace(sock=pair[1], parser=parser), True) is stays
    assert time.monotonic() - begun < 15


def test_a_connection_without_a_body_is_kept(pair: Any, worker: PatientWorker) -> None:
    parser = parser_of(*pair, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    assert worker._keepalive_after(SimpleNamespace(sock=pair[1], parser=parser), True)
    assert not worker._keepalive_after(SimpleNamespace(sock=pair[1], parser=parser), False)


def test_gunicorn_serves_so_by_itself() -> None:
    settings: dict[str, Any] = {}
    exec((BASE_DIR / "gunicorn.conf.py").read_text(), settings)

    assert settings["worker_class"] == "laaffic_console.patient_worker.PatientWorker"
    assert settings["wsgi_app"] == "laaffic_console.wsgi"

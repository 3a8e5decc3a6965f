"""What the console withstands without a proxy: clients that trickle, and how long /healthz takes in the meantime.

.venv/bin/python scripts/slow_clients.py [ADDRESS] [--clients 200] [--what headers|body]
"""

import argparse
import contextlib
import socket
import time
from urllib.parse import urlsplit

HEADERS = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /hooks/a-wrong-token-of-a-stranger/sms-report/ HTTP/1.1\r\nHost: localhost\r\n"
BODY += b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n["


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--what", choices=["headers", "body"], default="headers")
    given = parser.parse_args()
    at = (urlsplit(given.address).hostname or "127.0.0.1", urlsplit(given.address).port or 80)
    with contextlib.ExitStack() as opened:
        slow = [opened.enter_context(socket.create_connection(at, timeout=5)) for _ in range(given.clients)]
        send(slow, HEADERS if given.what == "headers" else BODY)
        took = [healthz(at, slow) for _ in range(5)]
    print(f"{given.clients} clients trickle {given.what}; /healthz took {max(took):.2f} s at most")


def send(slow: list[socket.socket], piece: bytes) -> None:
    for client in slow:
        with contextlib.suppress(OSError):  # it was turned away, which is right
            client.sendall(piece)


def healthz(at: tuple[str, int], slow: list[socket.socket]) -> float:
    """Seconds until the answer has come; 10 if there is none."""
    send(slow, b"x")
    begun = time.monotonic()
    with contextlib.suppress(OSError), socket.create_connection(at, timeout=10) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        client.recv(1000)
    return time.monotonic() - begun


if __name__ == "__main__":
    main()

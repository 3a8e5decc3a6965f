"""A body that is read no further than it may be long, whatever its headers say."""

from django.http import HttpRequest

PIECE = 64 * 1024


def declared_length(request: HttpRequest) -> int:
    """What Content-Length says; 0 where it says nothing that can be read."""
    given = request.headers.get("Content-Length") or "0"
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 20 else 0


def read_at_most(request: HttpRequest, limit: int) -> bytes | None:
    """The body, None when it is longer; of one that is longer no more than `limit` bytes are read.

    A chunked body has no length, so Django takes it for empty; a server that undoes the chunks says so.
    """
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    stream = request
    if is_chunked and request.META.get("wsgi.input_terminated"):
        stream = request.META["wsgi.input"]
    pieces: list[bytes] = []
    left = limit + 1
    while left and (piece := stream.read(min(left, PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces) if left else None

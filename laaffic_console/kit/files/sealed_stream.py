"""A file that is digested as it is written, whose last bytes make room for what the digest says of all before them."""

import io
from typing import Any, BinaryIO


class SealedStream(io.RawIOBase):
    """For a ZIP whose comment is a seal: written from its beginning to its end, as it cannot be asked where it is.

    `digest`: one of hashlib's. `room`: how many bytes at the end the caller writes again, into `into`.
    """

    def __init__(self, into: BinaryIO, digest: Any, room: int) -> None:
        self.into, self.digest, self.room, self.held = into, digest, room, b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        held = self.held + bytes(data)
        cut = max(0, len(held) - self.room)
        self.pass_on(held[:cut])
        self.held = held[cut:]
        return len(data)

    def pass_on(self, data: bytes) -> None:
        self.digest.update(data)
        self.into.write(data)

"""What a rehearsal sends, and on which channel: all else is the same, as the door out is (ledger#one-door-out)."""

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PUSHES: dict[str, Any] = {"push-mode": "array", "push-repeat": 0.3, "push-loss": 0.1}


@dataclass(frozen=True, slots=True)
class Carrier:
    """`create` makes the console's command for a draft; `callback` is the sandbox's option, `hook` where it pushes."""

    product: str
    create: Callable[[Path], Sequence[str]]  # given a folder for what it needs
    callback: str
    hook: str
    gateway: Mapping[str, Any]
    needs: Callable[[Path], Sequence[str]] | None = None  # a command that is repeated until it succeeds, before
    one_a_call: bool = False
    has_abnormal: bool = True  # whether the gateway refuses single numbers (−9)


def picture(shade: int) -> bytes:
    """A PNG of one pixel; each shade is another file."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + shade.to_bytes(3))
    parts = ((b"IHDR", header), (b"IDAT", pixel), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def attachment(folder: Path) -> Path:
    file = folder / "rehearsal.png"
    file.write_bytes(picture(0))
    return file


CARRIERS = {
    "sms": Carrier(
        product="sms",
        create=lambda folder: ("campaign", "create"),
        callback="callback",
        hook="sms-report",
        gateway={**PUSHES, "push-batch": 50, "delivery-delay": "0.2,5"},
    ),
    # Reports of MMS come to the same inbox as those of SMS.
    "mms": Carrier(
        product="sms",
        # A campaign whose upload's answer was lost is held for a person; here it has its id before.
        needs=lambda folder: ("mms", "upload", str(attachment(folder))),
        create=lambda folder: ("mms", "create", "--title", "Rehearsal", "--file", str(attachment(folder))),
        callback="callback",
        hook="sms-report",
        gateway={**PUSHES, "push-batch": 50, "delivery-delay": "0.2,5"},
    ),
    # The shortest calls that Laaffic takes: only when one must have ended, the records can be said to lack it.
    "tts": Carrier(
        product="voice",
        create=lambda folder: ("voice", "say", "--ring", "20", "--longest", "1"),
        callback="voice-callback",
        hook="voice-report",
        gateway={**PUSHES, "ring-seconds": "0.1,2", "talk-seconds": "0.1,1"},
        one_a_call=True,
        has_abnormal=False,
    ),
}

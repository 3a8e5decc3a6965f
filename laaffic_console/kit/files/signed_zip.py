"""Writing a dossier: a ZIP that is signed over every byte as it is written; `verify_dossier` is who reads it.

Nothing is written twice and nothing is read back, so a million rows take no more memory than one, and what is signed is
what went into the file.
"""

import contextlib
import datetime as dt
import hashlib
import json
import zipfile
from collections.abc import Iterable
from types import TracebackType
from typing import Any, BinaryIO, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils import timezone

from laaffic_console import verify_dossier
from laaffic_console.kit.files.sealed_stream import SealedStream


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.DOSSIER_KEY))


def public_key() -> bytes:
    """The key by which signatures are checked: 32 bytes."""
    return _key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def own_fingerprint() -> str:
    """The fingerprint of the key that this console signs with."""
    return verify_dossier.fingerprint(public_key())


class SignedZip:
    """`with SignedZip(file) as made: made.add(name, pieces); made.about = {…}`; signed when it ends without an error.

    `about` is what the list of files says beside them: title, as_of, is_over.
    """

    def __init__(self, into: BinaryIO) -> None:
        self.about: dict[str, Any] = {}
        self._files: dict[str, dict[str, Any]] = {}
        self._stream = SealedStream(into, hashlib.sha512(), verify_dossier.COMMENT_SIZE)
        self._archive = zipfile.ZipFile(self._stream, "w", zipfile.ZIP_DEFLATED)
        self._archive.comment = bytes(verify_dossier.COMMENT_SIZE)
        self._at = timezone.localtime().timetuple()[:6]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        if kind is not None:
            with contextlib.suppress(OSError):
                self._archive.close()  # else it would write its end when it is collected
            return
        listed = {"version": verify_dossier.VERSION, **self.about, "key": public_key().hex(), "files": self._files}
        self.add(verify_dossier.MANIFEST, [as_json(listed)])
        self._archive.close()
        self._sign()

    def _sign(self) -> None:
        """Write key and signature in the place of the ZIP's comment."""
        key = public_key().hex()
        self._stream.pass_on(verify_dossier.NAMED.format(version=verify_dossier.VERSION, key=key).encode())
        signature = _key().sign(verify_dossier.SIGNED_AS + self._stream.digest.digest())
        self._stream.into.write(f"{signature.hex()}\n".encode())

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        entry = zipfile.ZipInfo(name, self._at)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._archive.open(entry, "w", force_zip64=True) as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        self._files[name] = {"sha256": digest.hexdigest(), "bytes": size}


def as_json(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain).encode() + b"\n"


def _plain(value: Any) -> str:
    """A moment by the console's clock, with its offset; an amount with all its digits."""
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
    return str(value)

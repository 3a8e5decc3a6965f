"""The file of a backup: a ZIP of parts with a manifest, and behind it the SHA-256 of every byte before.

It is written from its beginning to its end and read piece by piece, so that a large one takes no more memory.
"""

import hashlib
import hmac
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from laaffic_console.backups.services import manifests
from laaffic_console.kit.files.sealed_stream import SealedStream

MANIFEST = "manifest.json"
MEDIA = manifests.MEDIA
PIECE = 1024 * 1024
# What reading a crafted ZIP raises: packed in another way, with a password, ending too soon.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
)
COMMENT = 64  # hexadecimal digits, in the place of the ZIP's comment


class BadBackup(Exception):
    """One sentence about the file, and what to do."""


class Written:
    """A backup that is being written: `add` its parts, then `close` it with what the manifest says beside them."""

    def __init__(self, into: BinaryIO) -> None:
        self.parts: dict[str, dict[str, Any]] = {}
        self._stream = SealedStream(into, hashlib.sha256(), COMMENT)
        self._zip = zipfile.ZipFile(self._stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._zip.comment = b"0" * COMMENT

    def add(self, name: str, pieces: Iterable[bytes], *, is_packed: bool = False) -> None:
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(entry, "w", force_zip64=True) as part:
            for piece in pieces:
                part.write(piece)
                digest.update(piece)
                size += len(piece)
        self.parts[name] = {"sha256": digest.hexdigest(), "bytes": size}

    def give_up(self) -> None:
        """Keep the ZIP from writing its end into the file once it is closed: the file is thrown away."""
        self._zip.fp = None

    def close(self, about: dict[str, Any]) -> None:
        manifest = {
            "format": manifests.FORMAT,
            "format version": manifests.FORMAT_VERSION,
            **about,
            "parts": self.parts,
        }
        self._zip.writestr(MANIFEST, json.dumps(manifest, indent=2))
        self._zip.close()
        self._stream.into.write(self._stream.digest.hexdigest().encode())


def is_ours(name: str) -> bool:
    """Whether a name at the top of the uploads is the console's. A disk of its own has a folder for lost files, which
    nobody may read, and a restore that was killed leaves hidden ones."""
    return name != "lost+found" and not name.startswith(".")


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


class Backup:
    """A backup that is read; every checksum has been compared before anything is taken from it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _check_whole(path)
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest = manifests.read(self._zip.read(MANIFEST))
        except (*UNREADABLE, manifests.Unknown) as problem:
            raise BadBackup(_("%(file)s is not a backup of this console. Name another file.") % {"file": path}) from (
                problem
            )
        except manifests.Newer as problem:
            raise BadBackup(newer(problem.version)) from problem
        except manifests.Odd as problem:
            raise BadBackup(_odd(path, str(problem))) from problem
        self._check_parts()

    def names(self) -> list[str]:
        return list(self.manifest.parts)

    def take(self, name: str, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        with self._zip.open(name) as part, to.open("xb") as file:
            while piece := part.read(PIECE):
                file.write(piece)

    def _check_parts(self) -> None:
        inside = sorted(name for name in self._zip.namelist() if name != MANIFEST)
        is_right = inside == sorted(self.manifest.parts)
        try:
            is_right = is_right and all(map(self._is_as_written, inside))
        except UNREADABLE as problem:
            raise BadBackup(_changed(self.path)) from problem
        if not is_right:
            raise BadBackup(_changed(self.path))

    def _is_as_written(self, name: str) -> bool:
        digest, size, said = hashlib.sha256(), 0, self.manifest.parts[name]
        with self._zip.open(name) as part:
            while size <= said.bytes and (piece := part.read(PIECE)):
                digest.update(piece)
                size += len(piece)
        return size == said.bytes and digest.hexdigest() == said.sha256


def newer(version: str) -> str:
    return _(
        "The backup was made by version %(version)s of the console, which is newer than this one. "
        "Install %(version)s or newer, then restore it."
    ) % {"version": version}


def _odd(path: Path, what: str) -> str:
    said = _("%(file)s is not a valid backup: %(what)s. Nothing was restored; use another copy.")
    return said % {"file": path, "what": what}


def _changed(path: Path) -> str:
    said = _("%(file)s is damaged: it was changed or cut off. Nothing was restored; use another copy.")
    return said % {"file": path}


def _check_whole(path: Path) -> None:
    left = path.stat().st_size - COMMENT
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise BadBackup(_("%(file)s is not a backup of this console. Name another file.") % {"file": path})
        file.seek(0)
        while left > 0 and (piece := file.read(min(left, PIECE))):
            digest.update(piece)
            left -= len(piece)
        if not hmac.compare_digest(digest.hexdigest().encode(), file.read()):
            raise BadBackup(_changed(path))

"""Whether a campaign's dossier is as it was signed: `python -m laaffic_console.verify_dossier FILE`.

This file needs no console, no database and no setting: Python and `cryptography` are enough, so an auditor may take it
alone. A dossier is a ZIP whose comment, its very last bytes, holds the public key and a signature over every byte
before: of the files in it, of the ZIP's own tables, and of the comment itself.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.exit("verify_dossier needs the library cryptography: python -m pip install cryptography")

VERSION = 1
MANIFEST = "manifest.json"
SIGNED_AS = b"laaffic-console dossier\0"  # before the digest: the signature is of a dossier and of nothing else

# The comment: its lines have one way to be written, so that a changed byte is never read as the same.
NAMED = "laaffic-console dossier {version}\nkey {key}\nsignature "
COMMENT = re.compile(rb"laaffic-console dossier 1\nkey ([0-9a-f]{64})\nsignature ([0-9a-f]{128})\n")
ANY_VERSION = re.compile(rb"laaffic-console dossier ([0-9]{1,6})\nkey ")
SIGNATURE_SIZE = 128 + 1  # with the line's end
COMMENT_SIZE = len(NAMED.format(version=VERSION, key="0" * 64)) + SIGNATURE_SIZE
COMMENTS_MOST = 65_557  # a ZIP's last record with the longest comment
MANIFEST_MOST = 1_000_000
PIECE = 1024 * 1024


class NotGenuine(Exception):
    """It cannot be relied on; the sentence says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Genuine:
    fingerprint: str
    manifest: dict[str, Any]


def fingerprint(public_key: bytes) -> str:
    """The fingerprint of a key of 32 bytes, as people compare it: 64 hexadecimal digits in groups of eight."""
    digits = hashlib.sha256(public_key).hexdigest()
    return " ".join(digits[at : at + 8] for at in range(0, 64, 8))


def check(path: Path, key: str = "") -> Genuine:
    """Check the file. `key`: the fingerprint of its signature's key, in any grouping. NotGenuine, or OSError."""
    wanted = re.sub(r"[\s:]", "", key).lower()
    if key and not re.fullmatch(r"[0-9a-f]{64}", wanted):
        raise NotGenuine("A fingerprint has 64 hexadecimal digits. Give --key the one that you were told.")
    with path.open("rb") as file:
        public_key = _check_signature(file)
        found = fingerprint(public_key)
        if wanted and found.replace(" ", "") != wanted:
            raise NotGenuine(
                f"It is signed with another key than you expect, {found}. Ask the person who gave you the file or the "
                "fingerprint which of them is right."
            )
        return Genuine(found, _check_content(file))


def _check_signature(file: BinaryIO) -> bytes:
    """The public key, when the signature is by it and covers each byte before."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        raise NotGenuine("The file is empty. Ask for the dossier again.")
    file.seek(max(0, size - COMMENT_SIZE))
    said = COMMENT.fullmatch(file.read(COMMENT_SIZE))
    if said is None:
        raise NotGenuine(_why_unsigned(file, size))
    digest, left = hashlib.sha512(), size - SIGNATURE_SIZE
    file.seek(0)
    while left:
        piece = file.read(min(PIECE, left))
        if not piece:
            raise NotGenuine("It grew shorter while it was read. Check it again when nobody writes it.")
        digest.update(piece)
        left -= len(piece)
    public_key, signature = bytes.fromhex(said[1].decode()), bytes.fromhex(said[2].decode())
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, SIGNED_AS + digest.digest())
    except (InvalidSignature, ValueError) as problem:
        raise NotGenuine(
            "It was changed after it was signed, or damaged on its way: do not rely on it. Ask for the dossier again."
        ) from problem
    return public_key


def _why_unsigned(file: BinaryIO, size: int) -> str:
    file.seek(0)
    begins_as_zip = file.read(4) == b"PK\x03\x04"
    file.seek(max(0, size - COMMENTS_MOST))
    named = list(ANY_VERSION.finditer(file.read(COMMENTS_MOST)))
    if named and int(named[-1][1]) > VERSION:
        return (
            f"It says that it is a dossier of version {int(named[-1][1])}, and this program knows versions up to "
            f"{VERSION}. Check it with a newer console."
        )
    if named or begins_as_zip:
        return (
            "It carries no whole signature at its end: if it is a dossier, it was cut off, something was added to it, "
            "or its last bytes were changed. Do not rely on it, and ask for the dossier again."
        )
    return "It is not a dossier of this console. Name the .zip file that the console made."


def _check_content(file: BinaryIO) -> dict[str, Any]:
    """The list, if each file is the one that it names: anyone who holds the key could have signed anything."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive)
            names = archive.namelist()
            if sorted(names) != sorted([MANIFEST, *manifest["files"]]):
                raise NotGenuine("The signature is right, and the list of its files is not: the console made it badly.")
            for name, told in manifest["files"].items():
                if _digest(archive, name, int(told["bytes"])) != told["sha256"]:
                    raise NotGenuine(
                        f"The signature is right, and {name} is not what its list says: it was made badly."
                    )
            return manifest
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, AttributeError, NotImplementedError) as problem:
        raise NotGenuine(
            "The signature is right, and what was signed is not a dossier: it was made badly."
        ) from problem


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    with archive.open(MANIFEST) as file:
        manifest: dict[str, Any] = json.loads(file.read(MANIFEST_MOST))
    if manifest["version"] != VERSION:
        raise NotGenuine(f"Its list of files is of version {manifest['version']}. Check it with a newer console.")
    return manifest


def _digest(archive: zipfile.ZipFile, name: str, size: int) -> str:
    digest, left = hashlib.sha256(), size + 1
    with archive.open(name) as file:
        while left and (piece := file.read(min(PIECE, left))):
            digest.update(piece)
            left -= len(piece)
    return digest.hexdigest()


def why_unread(problem: OSError, path: Path) -> str:
    if isinstance(problem, FileNotFoundError | NotADirectoryError):
        return f"There is no file {path}. Name the dossier that is to be checked."
    if isinstance(problem, IsADirectoryError):
        return f"{path} is a folder. Name the dossier in it."
    if isinstance(problem, PermissionError):
        return f"{path} may not be read by you. Copy it to where you may read it."
    return f"{path} could not be read: {problem.strerror or problem}. Copy it again."


def words(path: Path, found: Genuine, *, is_expected: bool) -> str:
    manifest = found.manifest
    said = [
        f"{path.name} is genuine: no byte of it was changed since it was signed.",
        f"It is about {manifest['title']}, as of {manifest['as_of']}"
        + (", when it was over." if manifest["is_over"] else ", while it was NOT over: some of it has changed since."),
        f"Signed with the key {found.fingerprint}",
    ]
    if not is_expected:
        said.append("Compare this fingerprint with the one that you were given before, or give that one with --key.")
    return "\n".join(said)


def add_arguments(parser: Any) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--key",
        type=_fingerprint,
        metavar="FINGERPRINT",
        help="refuse a dossier that is signed with another key than this",
    )


def _fingerprint(text: str) -> str:
    """Refuse what a script's unset variable gives: taken for no key, a dossier of anybody's would be genuine."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty. Give a fingerprint, or leave it out.")
    return text


def run(path: Path, key: str | None, say: Callable[[str], object]) -> str:
    """ "" when it is genuine and that was said; else one sentence: why it is not, or that it cannot be said."""
    try:
        found = check(path, key or "")
    except NotGenuine as problem:
        return str(problem)
    except OSError as problem:
        return why_unread(problem, path)
    try:
        say(words(path, found, is_expected=bool(key)))
    except OSError as problem:
        return f"{path.name} is genuine, but that cannot be written: {problem.strerror or problem}."
    return ""


def told(stream: TextIO | None, said: str) -> None:
    """Print a sentence; OSError where the stream takes nothing, whose buffer then no longer disturbs Python's end."""
    if stream is None:  # closed
        return
    try:
        stream.write(f"{said}\n")
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify_dossier", description="Check a campaign's dossier.")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    why = run(given.file, given.key, lambda said: told(sys.stdout, said))
    if why:
        with contextlib.suppress(OSError):  # the exit code says it too
            told(sys.stderr, why)
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())

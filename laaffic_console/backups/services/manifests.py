"""What a backup says of itself. Anyone who crafts one computes its checksum too, so nothing in it is trusted:
a manifest is read whole, or named as odd, before anything is touched.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.kit.words.planned_years import check_year

FORMAT = "laaffic-console-backup"
FORMAT_VERSION = 1
MEDIA = "media/"
DATABASES = frozenset({"database.sqlite3", "database.dump"})
LONGEST_NAME = 255  # bytes, on most disks

_version = re.compile(r"[0-9]{1,9}(?:\.[0-9A-Za-z+]{1,40}){0,9}")
_migration = re.compile(r"\w{1,100}\.\w{1,255}", re.ASCII)
_sha256 = re.compile(r"[0-9a-f]{64}")


class Unknown(Exception):
    """It is not a manifest of ours."""


class Newer(Exception):
    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version


class Odd(Exception):
    """A manifest holds something that this console does not write; the text says what."""


@dataclass(frozen=True, slots=True)
class Part:
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    version: str
    at: dt.datetime
    database: str
    migrations: list[str]
    parts: dict[str, Part]


def read(raw: bytes) -> Manifest:
    """Unknown, Newer or Odd where it cannot be; ValueError or RecursionError for invalid JSON."""
    said = json.loads(raw)
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise Unknown
    if _whole(said, "format version") > FORMAT_VERSION:
        raise Newer(str(said.get("version", "?"))[:40])
    return Manifest(
        version=_text(said, "version", _version),
        at=_moment(said),
        database=_text(said, "database"),
        migrations=_migrations(said),
        parts=_parts(said),
    )


def _whole(said: Mapping[str, Any], key: str) -> int:
    found = said.get(key)
    if type(found) is not int or found < 0:  # a bool is an int too
        raise _odd(key)
    return found


def _text(said: Mapping[str, Any], key: str, shape: "re.Pattern[str] | None" = None) -> str:
    found = said.get(key)
    if not isinstance(found, str) or (shape is not None and not shape.fullmatch(found)):
        raise _odd(key)
    return found


def _moment(said: Mapping[str, Any]) -> dt.datetime:
    """Without a time zone, or of a year that clocks do not reach, it could not be compared later."""
    try:
        found = dt.datetime.fromisoformat(_text(said, "at"))
        check_year(found)
        utc = found.astimezone(dt.UTC)
    except (ValueError, OverflowError, ValidationError) as problem:
        raise _odd("at") from problem
    if found.tzinfo is None:
        raise _odd("at")
    return utc


def _migrations(said: Mapping[str, Any]) -> list[str]:
    found = said.get("migrations")
    if not isinstance(found, list) or not found:
        raise _odd("migrations")
    if not all(isinstance(one, str) and _migration.fullmatch(one) for one in found):
        raise _odd("migrations")
    return found


def _parts(said: Mapping[str, Any]) -> dict[str, Part]:
    found = said.get("parts")
    if not isinstance(found, dict) or len(DATABASES & set(found)) != 1:
        raise _odd("parts")
    folders = {str(folder) for name in found for folder in PurePosixPath(name).parents}
    for name in found:
        if not _is_name_of_ours(name) or name in folders:
            raise Odd(_("it has a part “%(name)s”") % {"name": ascii(name[:60])[1:-1]})
    return {name: _part(one) for name, one in found.items()}


def _part(said: Any) -> Part:
    if not isinstance(said, dict):
        raise _odd("parts")
    return Part(_text(said, "sha256", _sha256), _whole(said, "bytes"))


def _is_name_of_ours(name: str) -> bool:
    """A file below media/, written as its path is: not absolute, not upwards, and not media//etc/passwd either."""
    if name in DATABASES:
        return True
    path = PurePosixPath(name)
    is_plain = str(path) == name and ".." not in path.parts and not {"\\", "\0"} & set(name)
    return name.startswith(MEDIA) and is_plain and all(0 < len(one.encode()) <= LONGEST_NAME for one in path.parts)


def _odd(key: str) -> Odd:
    return Odd(_("its “%(key)s” is missing or invalid") % {"key": key})

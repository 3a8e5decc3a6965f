"""One file with the database and what people have uploaded; campaigns go on in the meantime."""

import importlib.metadata
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from laaffic_console.backups.services import archives, databases
from laaffic_console.backups.services.archives import Written
from laaffic_console.exporting.services import making
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.files import exports
from laaffic_console.kit.files.uploads import WAITING
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.said import gettext as _

LEFT_OUT = (making.FOLDER, WAITING)  # made again from the database, or looked at and not taken

Tell = Callable[[str], None]


def version() -> str:
    return importlib.metadata.version("laaffic-console")


def write(path: Path, tell: Tell) -> None:
    """OSError where it cannot be written, CannotCopy where database or uploads cannot be read; then nothing is left
    of it."""
    exports.write_whole(path, lambda file: _write(file, path, tell))
    try:
        record(Act.EXPORTED, label=path.name)  # every number and every text
    except DatabaseError as problem:  # of a standby, for one, which is read alone
        tell(_("The backup is whole. That it was made could not be recorded: %(why)s") % {"why": problem})


def _write(file: BinaryIO, path: Path, tell: Tell) -> None:
    about = _about()  # before the database is read: what leaves from now on may be missing in it
    archive = Written(file)
    try:
        _write_parts(archive, path, tell)
    except BaseException:
        archive.give_up()
        raise
    archive.close(about)


def _write_parts(archive: Written, path: Path, tell: Tell) -> None:
    tell("database …")
    databases.write_into(archive, path)
    files = 0
    for uploaded in _media():
        name = uploaded.relative_to(settings.MEDIA_ROOT).as_posix()
        try:
            media = uploaded.open("rb")  # before its part is begun: one that the manifest does not name spoils the file
        except FileNotFoundError:  # deleted in the meantime
            continue
        except OSError as problem:
            raise _unread(problem, uploaded) from problem
        with media:
            archive.add(archives.MEDIA + name, _pieces_of(media, uploaded))
        files += 1
        if files % 100 == 0:
            tell(f"{number(files)} files …")


def _about() -> dict[str, Any]:
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    if not applied:
        raise databases.CannotCopy(_("The database is empty: there is nothing to keep. Is DATABASE_URL the console's?"))
    return {
        "version": version(),
        "at": database_clock.now().isoformat(),
        "database": connection.vendor,
        "migrations": [f"{app}.{name}" for app, name in applied],
    }


def _media() -> Iterator[Path]:
    root = Path(settings.MEDIA_ROOT)
    for folder, folders, names in os.walk(root, onerror=_refuse_unread):
        if Path(folder) == root:
            folders[:] = [name for name in folders if name not in LEFT_OUT and archives.is_ours(name)]
        for path in sorted(Path(folder, name) for name in names):
            if _is_upload(path):
                yield path


def _is_upload(path: Path) -> bool:
    try:
        return path.is_file() and not path.is_symlink()
    except OSError as problem:  # a folder that can be listed and not be entered
        raise _unread(problem, path) from problem


def _pieces_of(media: BinaryIO, uploaded: Path) -> Iterator[bytes]:
    try:
        yield from archives.pieces_of(media)
    except OSError as problem:  # while reading: an error while writing is raised where the pieces go
        raise _unread(problem, uploaded) from problem


def _refuse_unread(problem: OSError) -> None:
    if not isinstance(problem, FileNotFoundError):  # deleted in the meantime
        raise _unread(problem, Path(problem.filename)) from problem


def _unread(problem: OSError, path: Path) -> databases.CannotCopy:
    said = _("%(file)s cannot be read: %(why)s. Without it the backup would not be whole.")
    return databases.CannotCopy(said % {"file": path, "why": problem.strerror or problem})

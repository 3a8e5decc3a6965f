"""One file with the database and what people have uploaded; campaigns go on meanwhile."""

import importlib.metadata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from laaffic_console.backups.services import archives, databases
from laaffic_console.backups.services.archives import Written
from laaffic_console.exporting.services import making
from laaffic_console.gateway.services import database_clock
from laaffic_console.kit import exports
from laaffic_console.kit.figures import number
from laaffic_console.kit.said import gettext as _
from laaffic_console.kit.uploads import WAITING

LEFT_OUT = (making.FOLDER, WAITING)  # made anew from the database, or looked at and not taken

Tell = Callable[[str], None]


def version() -> str:
    return importlib.metadata.version("laaffic-console")


def write(path: Path, tell: Tell) -> None:
    """OSError where it cannot be written, CannotCopy where the database cannot be read; then nothing is left of it."""
    exports.write_whole(path, lambda file: _write(file, path, tell))


def _write(file: BinaryIO, path: Path, tell: Tell) -> None:
    about = _about()  # before the database is read: what leaves from now on may be missing in it
    archive = Written(file)
    tell("database …")
    databases.write_into(archive, path)
    files = 0
    for uploaded in _media():
        name = uploaded.relative_to(settings.MEDIA_ROOT).as_posix()
        try:
            archive.add(archives.MEDIA + name, archives.pieces_of(uploaded))
        except FileNotFoundError:  # deleted meanwhile; its empty part stays
            continue
        files += 1
        if files % 100 == 0:
            tell(f"{number(files)} files …")
    archive.close(about)


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
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.relative_to(root).parts[0] not in LEFT_OUT:
            yield path

"""Numbers, texts and the secret key lie in `var/`: nobody else on the machine reads them, whatever the umask says."""

import errno
import os
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
UMASK = 0o077


def make_private(folder: Path) -> None:
    """The folder, made if need be, and what is in it; from now on this process makes nothing that others may read."""
    os.umask(UMASK)
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    close(folder, FOLDER)
    for path, folders, files in os.walk(folder):
        for name in folders:
            close(Path(path, name), FOLDER)
        for name in files:
            close(Path(path, name), FILE)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):  # another user's: a first command was root's
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def make_folder(folder: Path) -> None:
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    close(folder, FOLDER)


def close(path: Path, mode: int) -> None:
    """Take the rights of others from a file. Links are left alone, and so is what has gone or is another user's."""
    try:
        if not path.is_symlink() and path.stat().st_mode & 0o077:
            path.chmod(mode)
    except OSError:
        pass

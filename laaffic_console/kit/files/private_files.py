"""Numbers, texts and the secret key lie in `var/`: nobody else on the machine reads them, whatever the umask says."""

import errno
import os
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
UMASK = 0o077
# Of a checkout: a folder with one of these has other uses, and others to read it. The home of a user that was made for
# the console alone, as in its container, may be its folder.
FOREIGN = ("manage.py", ".git", ".venv", "pyvenv.cfg")


class NotItsOwn(Exception):
    """The folder holds something else; the argument names it."""


def make_private(folder: Path) -> None:
    """The folder, made if need be, is closed, and so is all that is in it, whose own rights nobody needs to change;
    from now on this process makes nothing that others may read. NotItsOwn before anything is changed.
    """
    for name in FOREIGN:
        if os.path.lexists(folder / name):
            raise NotItsOwn(name)
    os.umask(UMASK)
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    close(folder, FOLDER)
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

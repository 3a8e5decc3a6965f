"""Numbers, texts and the secret key lie in `var/`: nobody else on the machine reads them, whatever the umask says."""

import errno
import os
import re
import stat
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
UMASK = 0o077
# Of a checkout: a folder with one of these has other uses, and others to read it. The home of a user that was made for
# the console alone, as in its container, may be its folder.
FOREIGN = ("manage.py", ".git", ".venv", "pyvenv.cfg")
# A folder that holds one of these is the console's already.
OURS = (
    *("secret_key", "dossier_key", "console.sqlite3", "media", "uploads", "restore.lock", "upgrade-halfway"),
    *("web-turn.lock", "web-waits.lock"),
)
# What a new user's home holds, a new file system, and a demo that begins.
NEUTRAL = (
    *(".profile", ".bashrc", ".bash_logout", "lost+found", ".env", ".gitignore", ".gitkeep"),
    *("demo.lock", "demo.json", "demo.env"),
)
DEMOS = re.compile(r"demo(-\d+)?")  # in a checkout's var, which a demo makes where there is none


class NotItsOwn(Exception):
    """The folder holds something else; the argument names it."""


def make_private(folder: Path) -> None:
    """The folder, made if need be, is closed, and so is all that is in it, whose own rights nobody needs to change;
    from now on this process makes nothing that others may read. NotItsOwn before anything is changed.
    """
    for name in FOREIGN:
        if os.path.lexists(folder / name):
            raise NotItsOwn(name)
    _refuse_shared(folder)
    os.umask(UMASK)
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    close(folder, FOLDER)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):  # another user's: a first command was root's
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _refuse_shared(folder: Path) -> None:
    """NotItsOwn for a folder of the whole machine, which others could enter no more: /tmp, /var/lib."""
    try:
        mode = folder.stat().st_mode
        names = set(os.listdir(folder))
    except OSError:  # not there yet, or not ours to read: said where it is opened
        return
    told = names.difference(NEUTRAL)
    if mode & stat.S_ISVTX and told:  # with nothing in it, it may be a container's file system in memory
        raise NotItsOwn("files of every user of this machine")
    strange = sorted(name for name in told if name not in OURS and not DEMOS.fullmatch(name))
    if mode & 0o077 and strange and len(strange) == len(told):
        raise NotItsOwn(strange[0])


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

"""What a killed process left beside the file or folder that it was writing: whole copies, which nobody sees or opens.

Code that writes at the same place next removes what has not been touched for a day: nothing is at it any more. A
process number would not tell, since those of a container are given again and again.
"""

import contextlib
import re
import secrets
import shutil
import time
from pathlib import Path

UNTOUCHED_SECONDS = 24 * 3600.0

# With what SQLite adds to the name of a database.
_NAME = re.compile(r"\.(?P<of>.*)-[0-9a-f]{8}(?P<ending>\.part)?(-journal|-wal|-shm)?", re.DOTALL)


def name_beside(stem: str, ending: str = ".part") -> str:
    """A new hidden name, which `remove` knows again."""
    return f".{stem[:100]}-{secrets.token_hex(4)}{ending}"


def remove(folder: Path, *, of: str | None = None) -> None:
    """Remove such names from the folder: those with the ending `.part`, or without one those of this stem.

    What cannot be removed stays: the new file is worth more.
    """
    with contextlib.suppress(OSError):
        for path in [path for path in folder.iterdir() if _is_left(path, of)]:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()


def _is_left(path: Path, of: str | None) -> bool:
    name = _NAME.fullmatch(path.name)
    if name is None or path.is_symlink() or (not name["ending"] if of is None else name["of"] != of):
        return False
    with contextlib.suppress(OSError):  # gone in the meantime
        found = path.stat()
        return max(found.st_mtime, found.st_ctime) < time.time() - UNTOUCHED_SECONDS
    return False

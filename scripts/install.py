"""`make install`: .venv with everything in it, from the lock file. `make production`: with what a server needs.

Runs on any Python that a machine has, so it uses only the standard library, and everything before the check of the
version is written for old ones too: they are to end with a sentence that says what to type.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
READY = VENV / ".ready"
MADE_FROM = [ROOT / "pyproject.toml", ROOT / "requirements.lock", ROOT / "requirements-dev.lock"]
FOR_A_SERVER = "--production" in sys.argv[1:]
OLDEST = (3, 11)
HELP = """
  Debian, Ubuntu   apt-get install python3 python3-venv make
  Fedora           dnf install python3 make
  macOS            brew install python@3.13 make

Or name another Python: make install PYTHON=/path/to/python3.11"""


def main() -> int:
    problem = what_is_missing()
    if problem:
        print(f"make install: {problem}\n{HELP}", file=sys.stderr)
        return 1
    with (ROOT / ".venv.lock").open("w") as turn:
        wait_for(turn.fileno())
        return 0 if is_ready() and not FOR_A_SERVER else install()


def what_is_missing() -> str:
    """A sentence that names what is missing; "" if this Python will do."""
    if sys.version_info < OLDEST:
        version = ".".join(str(part) for part in sys.version_info[:3])
        return f"Python 3.11 or newer is needed; {sys.executable} is {version}."
    # Debian and Ubuntu package these separately; without ensurepip a .venv has no pip.
    lacking = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if lacking:
        return f"{sys.executable} has no {' and no '.join(lacking)}, which a .venv is made with. Install them:"
    return ""


def wait_for(turn: int) -> None:
    """Let the second of two `make demo` in one checkout wait until the first has made the .venv."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    fcntl.flock(turn, fcntl.LOCK_EX)


def is_ready() -> bool:
    return READY.exists() and all(READY.stat().st_mtime >= path.stat().st_mtime for path in MADE_FROM)


def install() -> int:
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = [
        [*pip, "--require-hashes", "-r", "requirements.lock" if FOR_A_SERVER else "requirements-dev.lock"],
        [*pip, "--no-deps", "--no-build-isolation", "-e", "."],
    ]
    if not has_pip():
        steps.insert(0, [sys.executable, "-m", "venv", "--clear", str(VENV)])
    for step in steps:
        print(" ".join(step), flush=True)
        code = subprocess.run(step, cwd=ROOT, check=False).returncode
        if code:
            return code
    if not FOR_A_SERVER:  # make test finds out itself what is missing
        READY.touch()
    return 0


def has_pip() -> bool:
    """Whether .venv is complete: one without pip, or whose Python is gone, is made again."""
    python = VENV / "bin" / "python"
    if not os.access(python, os.X_OK):
        return False
    return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())

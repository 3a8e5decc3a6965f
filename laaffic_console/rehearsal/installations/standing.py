"""Commands of the console in processes of their own, forked from one that has loaded it: as a shell would run them.

Loading Django takes ten times as long as most commands do, and a rehearsal asks dozens. The process that forks opens no
connection and starts no thread, so a fork has nothing of another's.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from laaffic_console.conf import HOME_DIR

# The console at `home` may be a version before this one, which has this module under another name or not at all: the
# file is this version's, and what it imports is found in the current folder.
RUN_THIS_FILE = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: its exit code and what it wrote."""

    code: int
    output: str
    errors: str


class StandingShell:
    """Started by the first command, and again should it be gone; one command at a time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.home = HOME_DIR
        self._process: subprocess.Popen[str] | None = None

    def run(self, arguments: Sequence[str], patience: float) -> Done:
        """TimeoutError where it takes longer than so many seconds; the whole shell is ended then."""
        process = self._started()
        with tempfile.TemporaryDirectory() as folder:
            written = [str(Path(folder, name)) for name in ("output", "errors")]
            assert process.stdin is not None  # noqa: S101  (for the type checker)
            process.stdin.write(json.dumps([list(arguments), *written]) + "\n")
            process.stdin.flush()
            code = self._answer(process, patience)
            output, errors = (Path(name).read_text() if Path(name).exists() else "" for name in written)
        return Done(code, output, errors)

    def end(self) -> None:
        """Kill the shell with whatever runs in it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is not None and self._process.poll() is not None:
            self.end()
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", RUN_THIS_FILE, __file__],
                cwd=self.home,
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        return self._process

    def _answer(self, process: "subprocess.Popen[str]", patience: float) -> int:
        assert process.stdout is not None  # noqa: S101  (for the type checker)
        if not select.select([process.stdout], [], [], patience)[0]:
            self.end()
            raise TimeoutError(f"no end within {patience:g} s")
        said = process.stdout.readline()
        return int(said) if said.strip() else -1


def serve(asked: TextIO, answered: TextIO) -> None:
    """Run in the standing process: fork for each line, and say how the command ended."""
    for line in asked:
        arguments, output, errors = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(arguments, output, errors)
        answered.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        answered.flush()


def _become(arguments: list[str], output: str, errors: str) -> None:
    """The command, in a process of its own; it never comes back."""
    from laaffic_console.__main__ import main

    for stream, name in ((sys.stdout, output), (sys.stderr, errors)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), stream.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.argv = ["manage.py", *arguments]
    code = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    django.setup()
    serve(sys.stdin, os.fdopen(os.dup(sys.stdout.fileno()), "w"))

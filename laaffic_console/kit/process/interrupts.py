"""What Ctrl-C and SIGTERM leave behind, and what a closed terminal does not end."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class LeftUnknown(KeyboardInterrupt):
    """Ctrl-C came while a request was under way: a sentence on that, and the exit code for an unknown outcome."""

    returncode = 3


def end_orderly() -> None:
    """From now on SIGTERM, which `timeout` and a machine that shuts down send, ends a command as Ctrl-C does: what it
    was writing is removed, and what it holds is given back. A signal that means something already keeps its meaning.
    """
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would end the cleaning up
    raise KeyboardInterrupt


@contextlib.contextmanager
def terminal_may_close() -> Iterator[None]:
    """A closed terminal, or a lost connection to the machine, leaves nothing half done: the console stopped, or its
    database half restored.
    """
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)

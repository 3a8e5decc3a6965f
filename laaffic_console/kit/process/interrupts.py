"""What Ctrl-C leaves behind, and what a closed terminal does not end."""

import contextlib
import signal
from collections.abc import Iterator


class LeftUnknown(KeyboardInterrupt):
    """Ctrl-C came while a request was under way: a sentence on that, and the exit code for an unknown outcome."""

    returncode = 3


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

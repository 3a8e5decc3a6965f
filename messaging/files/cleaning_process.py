"""The process beside an import (`cleaned_rows.py`): takes a file on its standard input, sends cleaned chunks.

Django is set up without apps and without languages: nothing here can reach a database, and a reason is kept as words
with values, which are worded in the reader's language where they are unpacked.
"""

import os
import pickle
import signal
import sys
import threading
from typing import IO

from django.conf import settings


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the import, which closes the pipe
    given, sent = sys.stdin.buffer, sys.stdout.buffer
    settings.configure(USE_I18N=False)
    from messaging.files import cleaned_rows

    source, size, behind = pickle.load(given)  # noqa: S301 - our own import wrote it
    threading.Thread(target=_end_with, args=[given], daemon=True).start()
    for chunk in cleaned_rows.here(source, size, behind=behind):
        packed = chunk.packed()
        sent.write(len(packed).to_bytes(cleaned_rows.LENGTH) + packed)
        sent.flush()
    sent.write(bytes(cleaned_rows.LENGTH))
    sent.flush()


def _end_with(given: IO[bytes]) -> None:
    """The import says nothing more: when its end of the pipe closes it has gone, whether or not it could say so."""
    given.read()
    os._exit(1)


if __name__ == "__main__":
    main()

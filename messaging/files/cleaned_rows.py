"""A file's rows, cleaned chunk by chunk: in this process, or in one beside it while the caller writes the chunk before.

The other process (`cleaning_process.py`) opens no database, is ahead by what its pipe holds, and ends with this one. It
says nothing of what goes wrong in it: the reader of its rows goes on here, behind the last chunk that came, and
meets the same trouble where it is told in the reader's language.
"""

import contextlib
import fcntl
import itertools
import logging
import marshal
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple, cast

from messaging.files.contact_files import ContactFile, Format, Row
from messaging.files.contact_rows import ReadyRow, RowCleaner, RowError, RowOptions
from messaging.files.unreadable import UnreadableFile

HEAD_START = 10_000  # lines that are cleaned here until the other process has started
WORTH_IT = 2 << 20  # bytes that are left of a file
PIPE = 1 << 20  # bytes: a few chunks
PROCESS: tuple[str, ...] = ("-m", "messaging.files.cleaning_process")
LENGTH = 4  # bytes that say how long a chunk is; a length of nothing ends the file

logger = logging.getLogger(__name__)


class Source(NamedTuple):
    """A file, and what a person says of its columns."""

    path: Path
    written: Format
    mapping: dict[str, str]
    region: str
    options: RowOptions

    def cleaner(self) -> RowCleaner:
        return RowCleaner(self.written.headers, self.mapping, self.region, self.options)


class Chunk(NamedTuple):
    first_line: int
    last_line: int
    row_count: int  # good and bad
    unknown_languages: dict[str, int]
    bytes_read: int
    ready: list[ReadyRow]
    errors: list[tuple[Row, RowError]]

    def packed(self) -> bytes:
        """`marshal` takes a fifth of the time of `pickle`, and knows plain values only."""
        return marshal.dumps((*self[:-1], pickle.dumps(self.errors)))

    @classmethod
    def unpacked(cls, sent: bytes) -> "Chunk":
        """From a process of ours, by a pipe into which nobody else can write."""
        plain = marshal.loads(sent)  # noqa: S302
        return cls._make([*plain[:-1], pickle.loads(plain[-1])])  # noqa: S301


def chunks(source: Source, size: int, *, behind: int, bytes_left: int) -> Iterator[Chunk]:
    """The rows behind that line. A reader that stops before the end closes this, which ends the other process too."""
    if bytes_left < WORTH_IT or (os.cpu_count() or 1) == 1:
        yield from here(source, size, behind=behind)
        return
    both_at = behind + HEAD_START
    with _beside(source, size, both_at) as sent:
        for chunk in here(source, size, behind=behind, until=both_at):
            yield chunk
        try:
            for chunk in _received(sent):
                yield chunk
                both_at = chunk.last_line
            return
        except EOFError:
            logger.warning("The process that cleans the rows of a file has ended; they are cleaned in this one.")
    yield from here(source, size, behind=both_at)


def here(source: Source, size: int, *, behind: int, until: int | None = None) -> Iterator[Chunk]:
    cleaner = source.cleaner()
    file = ContactFile(source.path, source.written)
    wanted = _between(file, behind, until)
    for rows in _by(size, wanted):
        cleaner.unknown_languages.clear()
        ready, errors = clean_rows(cleaner, rows)
        languages = dict(cleaner.unknown_languages)
        yield Chunk(rows[0].line, rows[-1].line, len(rows), languages, file.bytes_read, ready, errors)


def _by(size: int, wanted: Iterator[Row]) -> Iterator[list[Row]]:
    """The rows by so many. Where the file cannot be read any further, those before come first, and then the reason."""
    while True:
        rows: list[Row] = []
        try:
            rows.extend(itertools.islice(wanted, size))  # keeps what came before an error
        except UnreadableFile:
            if rows:
                yield rows
            raise
        if not rows:
            return
        yield rows


def _between(file: ContactFile, behind: int, until: int | None) -> Iterator[Row]:
    for row in file:
        if until is not None and row.line > until:
            return
        if row.line > behind:
            yield row


def clean_rows(cleaner: RowCleaner, rows: Sequence[Row]) -> tuple[list[ReadyRow], list[tuple[Row, RowError]]]:
    ready, errors = [], []
    for row in rows:
        try:
            if row.problem:
                raise RowError("", "", row.problem)
            ready.append(cleaner.clean(row.cells).ready())
        except RowError as problem:
            errors.append((row, problem))
    return ready, errors


@contextlib.contextmanager
def _beside(source: Source, size: int, behind: int) -> Iterator[IO[bytes]]:
    """What the other process sends. It is not a child of `multiprocessing`, which the queue's workers may not have."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *PROCESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    given, sent = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    try:
        with contextlib.suppress(OSError, AttributeError):  # Linux alone can widen a pipe
            fcntl.fcntl(sent, fcntl.F_SETPIPE_SZ, PIPE)
        with contextlib.suppress(BrokenPipeError):  # it has ended already: then nothing comes
            given.write(pickle.dumps((source, size, behind)))
            given.flush()
        yield sent
    finally:
        process.kill()
        with contextlib.suppress(OSError):
            process.communicate()


def _received(sent: IO[bytes]) -> Iterator[Chunk]:
    """EOFError where the other process has ended before the file."""
    while length := int.from_bytes(_exactly(sent, LENGTH)):
        yield Chunk.unpacked(_exactly(sent, length))


def _exactly(sent: IO[bytes], count: int) -> bytes:
    found = sent.read(count)
    if len(found) < count:
        raise EOFError
    return found

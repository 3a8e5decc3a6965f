"""Traces of a contact apart from the file it came from: somebody has dealt with it. Each app registers its own.

Messaging knows no other app by name. A trace is asked about a chunk of contacts at once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Trace:
    """`found(values)`: those of the numbers (every spelling), or of the email addresses, that there is one of."""

    name: str
    label: Any  # translated when it is shown
    found: Callable[[Collection[str]], Iterable[str]]
    by_email: bool = False


_traces: dict[str, Trace] = {}


def register(trace: Trace) -> None:
    """Called from an AppConfig."""
    _traces[trace.name] = trace


def traces() -> Iterator[Trace]:
    yield from (_traces[name] for name in sorted(_traces))


def label_of(name: str) -> Any:
    return _traces[name].label if name in _traces else name

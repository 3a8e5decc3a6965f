"""Who reads what happens: webhooks here, whoever registers beside them. Each says beforehand what it wants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from laaffic_console.events.models import Event


@dataclass(frozen=True, slots=True)
class Reader:
    """Asked in the transaction of what happens, so that both stay or neither."""

    wanted: Callable[[], set[str]]  # kinds; one cheap question at most, asked for each batch of events
    take: Callable[[Sequence[Event]], None]  # what was just written, of every kind that anybody wants


_readers: list[Reader] = []


def add(reader: Reader) -> None:
    """From an app's ready()."""
    if reader not in _readers:
        _readers.append(reader)


def wanted() -> set[str]:
    return set[str]().union(*(reader.wanted() for reader in _readers))


def take(events: Sequence[Event]) -> None:
    for reader in _readers:
        reader.take(events)

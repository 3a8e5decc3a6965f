"""Who reads what happens: webhooks here, and whatever registers beside them. Each says beforehand what it wants."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from laaffic_console.events.models import Event


@dataclass(frozen=True, slots=True)
class Reader:
    """Asked in the transaction of what happens, so that both stay or neither."""

    wanted: Callable[[], set[str]]  # kinds; one cheap question at most, asked for each batch of events
    take: Callable[[Sequence[Event]], None]  # what was just written, if it wants one of these kinds


_readers: list[Reader] = []


def add(reader: Reader) -> None:
    """Called from an app's ready()."""
    if reader not in _readers:
        _readers.append(reader)


def wanting(kinds: Collection[str]) -> list[tuple[Reader, set[str]]]:
    """The readers that want some of the kinds, each with the kinds that it wants."""
    asked = [(reader, reader.wanted().intersection(kinds)) for reader in _readers]
    return [(reader, wanted) for reader, wanted in asked if wanted]


def take(readers: Sequence[tuple[Reader, set[str]]], events: Sequence[Event]) -> None:
    there = {event.kind for event in events}
    for reader, wanted in readers:
        if not wanted.isdisjoint(there):
            reader.take(events)

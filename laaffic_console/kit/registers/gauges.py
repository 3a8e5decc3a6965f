"""Figures for monitoring: each app registers its own when it is made ready, /metrics tells them all.

They are asked for every few seconds, so each is a look at a tally or an index (laws#history-costs-nothing).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gauge:
    """`rows` are {values of the labels: how much}."""

    name: str  # without the console's own beginning
    means: str
    labels: list[str]
    rows: dict[tuple[str, ...], float]


Measure = Callable[[dt.datetime], Iterable[Gauge]]
_measures: list[Measure] = []


def register(measure: Measure) -> None:
    """`measure` is told the database's time."""
    if measure not in _measures:
        _measures.append(measure)


def of_apps(now: dt.datetime) -> Iterator[Gauge]:
    for measure in _measures:
        yield from measure(now)

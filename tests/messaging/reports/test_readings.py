"""A list is read in parts: what cannot be read hides nothing of the rest, and a gateway that is away is soon let be."""

import datetime as dt

import pytest

from laaffic_console.gateway.services.work.patience import Patience
from laaffic_console.laaffic import IncompleteList, LaafficError, OutcomeUnknown
from messaging.services.reports.readings import Trouble

START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
SILENT = OutcomeUnknown("no answer within the time limit", interface="getSentRcd")
BROKEN = IncompleteList("only 2 of 9 rows came", interface="getSentRcd")

Hours = tuple[float, float]


def read(*days: int, silent: tuple[Hours, ...] = (), broken: tuple[Hours, ...] = ()) -> tuple[list[Hours], list[Hours]]:
    """What of these days was not read, and what was asked, each in hours after the first; a whole day is too long."""
    asked: list[Hours] = []

    def hours(window: tuple[dt.datetime, dt.datetime]) -> Hours:
        begin, end = ((moment - START) / dt.timedelta(hours=1) for moment in window)
        return begin, end

    def ask(window: tuple[dt.datetime, dt.datetime]) -> None:
        begin, end = hours(window)
        asked.append((begin, end))
        for problem, where in ((SILENT, silent), (BROKEN, broken)):
            if any(begin < stop and first < end for first, stop in where):
                raise problem
        if end - begin > 12:
            raise SILENT

    trouble = Trouble("getSentRcd")
    windows = [(START + dt.timedelta(days=day), START + dt.timedelta(days=day + 1)) for day in days]
    unread = trouble.read(windows, ask)
    if unread:
        with pytest.raises(LaafficError):
            trouble.tell()
    return [hours(window) for window in unread], asked


@pytest.mark.parametrize(
    ("silent", "unread"),
    [
        ((0.1, 0.2), [(0, 1.5)]),
        ((0, 3), [(0, 1.5), (1.5, 3)]),
        ((4, 5), [(3, 4.5), (4.5, 6)]),
        ((23, 24), [(22.5, 24)]),
    ],
)
def test_a_part_without_an_answer_hides_nothing_of_its_day(silent: Hours, unread: list[Hours]) -> None:
    assert read(0, silent=(silent,))[0] == unread


def test_a_half_that_is_broken_hides_nothing_of_the_other() -> None:
    unread, asked = read(0, silent=((13, 14),), broken=((1, 2),))

    assert unread == [(0, 12), (12, 13.5), (13.5, 15)]
    assert (15, 18) in asked


def test_a_gateway_that_is_silent_to_all_is_soon_let_be() -> None:
    unread, asked = read(0, 1, 2, silent=((0, 72),))

    assert (unread[0][0], unread[-1][1]) == (0, 72)
    assert [end for _begin, end in unread[:-1]] == [begin for begin, _end in unread[1:]]
    assert len(asked) == 10


@pytest.mark.parametrize("seconds", [0, 60])
def test_what_takes_too_long_is_unread_and_concludes_nothing(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    windows = [(START + dt.timedelta(days=day), START + dt.timedelta(days=day + 1)) for day in range(4)]
    asked = []

    def ask(window: tuple[dt.datetime, dt.datetime]) -> None:
        asked.append(window)
        now[0] += 40

    trouble = Trouble("getSentRcd", Patience(seconds=seconds))
    unread = trouble.read(windows, ask)

    assert asked + unread == windows
    assert len(asked) == (2 if seconds else 0)
    assert trouble.is_away
    with pytest.raises(IncompleteList):
        trouble.tell()

"""Reading on in a list by time: how it is cut, and from where it is read the next time."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.utils import timezone

from laaffic_console.gateway.services.lists import reading_on
from laaffic_console.gateway.services.lists.reading_on import Asked, start_of
from laaffic_console.laaffic.pages import Page

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
WEEK = dt.timedelta(days=7)


class Listed:
    """A list of so many rows a minute, a hundred a page."""

    def __init__(self, rows_a_minute: float = 0, *, tells_total: bool = True) -> None:
        self.rows_a_minute, self.tells_total = rows_a_minute, tells_total
        self.requests = 0
        self.noted: list[dt.datetime] = []

    def pages(self, opens: dt.datetime, closes: dt.datetime) -> Iterator[Page[int]]:
        total = int((closes - opens).total_seconds() / 60 * self.rows_a_minute)
        for number in range(max(1, -(-total // 100))):
            self.requests += 1
            rows = min(100, total - number * 100)
            yield Page([0] * rows, [], total if self.tells_total else None, None, number + 1)

    def read(self, start: dt.datetime = NOW - WEEK, end: dt.datetime = NOW) -> None:
        asked = Asked(self.pages, lambda page: None, lambda closes, part: self.noted.append(closes))
        reading_on.read([(start, end)], asked, first=2 * HOUR)


def test_a_week_without_anything_takes_four_requests() -> None:
    listed = Listed()
    listed.read()

    assert listed.requests == 4
    assert listed.noted[-1] == NOW


def test_what_was_read_a_moment_ago_takes_one() -> None:
    listed = Listed()
    listed.read(NOW - HOUR)

    assert listed.requests == 1


@pytest.mark.parametrize(("tells_total", "most"), [(True, 1.2), (False, 2.2)])
def test_what_is_much_is_read_in_short_parts_with_few_requests_more(tells_total: bool, most: float) -> None:
    listed = Listed(1000, tells_total=tells_total)
    listed.read()

    needed = WEEK.total_seconds() / 60 * 1000 / 100
    assert needed <= listed.requests < most * needed
    steps = [after - before for before, after in zip(listed.noted, listed.noted[1:], strict=False)]
    assert max(steps) <= dt.timedelta(minutes=8)
    assert listed.noted[-1] == NOW


def test_a_minute_is_read_to_its_end_however_much_it_holds() -> None:
    listed = Listed(20_000)
    listed.read(NOW - dt.timedelta(minutes=2))

    assert listed.noted == [NOW - dt.timedelta(minutes=1), NOW]


def test_a_part_that_is_slow_is_left_for_shorter_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = Listed(10)
    moments = iter(range(0, 1_000_000, 20))
    monkeypatch.setattr("time.monotonic", lambda: next(moments))
    listed.read(NOW - 2 * HOUR)

    assert listed.noted[0] < NOW - HOUR
    assert listed.noted[-1] == NOW


class StartTests:
    def test_what_was_young_when_it_was_read_is_read_again(self) -> None:
        assert start_of(NOW, NOW, HOUR, NOW) == NOW - HOUR

    def test_what_was_old_then_is_not(self) -> None:
        """Else a reading that stops behind less than is read again would never come further."""
        assert start_of(NOW - 2 * HOUR, NOW, HOUR, NOW) == NOW - 2 * HOUR

    def test_nobody_knows_when_it_was_read(self) -> None:
        ahead = timezone.now() + WEEK
        assert start_of(NOW, None, HOUR, NOW) == start_of(NOW, ahead, HOUR, timezone.now()) == NOW - HOUR
        assert start_of(None, NOW, HOUR, NOW) is None

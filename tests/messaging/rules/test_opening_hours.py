"""Hours as people write them, and the next moment at which every clock that could be a recipient's allows it."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.hours import opening_hours
from messaging.hours.opening_hours import DAYS, WHOLE_DAY, InvalidHours, Rules, next_open, read

ZONES = ["Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
# Around changes of these clocks, and far from any.
DAY_OF_CHANGE = st.sampled_from(
    [dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2026, 3, 8), dt.date(2026, 11, 1), dt.date(2026, 4, 5)]
)
BY_CHANGE = st.builds(
    lambda day, minute: dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(minutes=minute),
    DAY_OF_CHANGE,
    st.integers(-2 * WHOLE_DAY, 2 * WHOLE_DAY),
)
ANY_MOMENT = st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2035, 1, 1), timezones=st.just(dt.UTC))
MOMENT = BY_CHANGE | ANY_MOMENT
SPAN = st.builds(
    lambda begins, length: (begins, begins + length), st.integers(0, WHOLE_DAY - 1), st.integers(1, WHOLE_DAY)
)
WEEK = st.lists(st.lists(SPAN, max_size=2).map(tuple), min_size=7, max_size=7).map(tuple).filter(any)
LEFT_OUT = st.frozensets(st.dates(dt.date(2026, 3, 27), dt.date(2026, 3, 31)), max_size=2)
RULES = st.builds(Rules, WEEK, LEFT_OUT)


def allows(zone: str, rules: Rules, moment: dt.datetime) -> bool:
    """The definition, by the wall clock alone."""
    wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    today, midnight = wall.date(), dt.datetime.combine(wall.date(), dt.time())
    minute = (wall - midnight) / dt.timedelta(minutes=1)
    yesterday = today - dt.timedelta(days=1)
    if today in rules.left_out:
        return False
    late = yesterday not in rules.left_out and any(
        minute < closes - WHOLE_DAY for _opens, closes in rules.weekly[yesterday.weekday()]
    )
    return late or any(opens <= minute < closes for opens, closes in rules.weekly[today.weekday()])


class NextOpenTests:
    @settings(max_examples=40, deadline=None)
    @given(zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3), rules=RULES, moment=MOMENT)
    def test_every_clock_allows_it_and_none_did_before(
        self, zones: list[str], rules: Rules, moment: dt.datetime
    ) -> None:
        found = next_open(zones, rules, moment)

        last = moment + dt.timedelta(days=9) if found is None else found
        assert found is None or (found >= moment and all(allows(zone, rules, found) for zone in zones))
        step = dt.timedelta(minutes=97)
        at = moment
        while at < last:
            assert not all(allows(zone, rules, at) for zone in zones)
            at += step

    @settings(max_examples=40, deadline=None)
    @given(zone=st.sampled_from(ZONES), rules=RULES, moment=MOMENT)
    def test_one_clock_always_opens_and_says_so_itself(self, zone: str, rules: Rules, moment: dt.datetime) -> None:
        assert opening_hours.is_open([zone], rules, moment) == allows(zone, rules, moment)
        assert next_open([zone], rules, moment) is not None

    @settings(max_examples=40, deadline=None)
    @given(zone=st.sampled_from(ZONES), moment=BY_CHANGE)
    def test_a_time_on_the_wall_comes_when_it_is_first_shown(self, zone: str, moment: dt.datetime) -> None:
        wall = moment.replace(tzinfo=None)

        shown = opening_hours.at_wall_time([zone], wall)

        assert shown.astimezone(ZoneInfo(zone)).replace(tzinfo=None) >= wall
        before = (shown - dt.timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert before < wall

    def test_a_repeated_hour_is_open_twice(self) -> None:
        rules = read("mon-sun 02:00-02:30").general
        first = dt.datetime(2026, 10, 25, 0, 0, tzinfo=dt.UTC)  # 2:00 in Berlin, and an hour later once more

        assert next_open(["Europe/Berlin"], rules, first) == first
        again = next_open(["Europe/Berlin"], rules, first + dt.timedelta(minutes=30))
        assert again == first + dt.timedelta(hours=1)

    def test_a_skipped_hour_is_not_open(self) -> None:
        rules = read("mon-sun 02:00-02:30").general

        assert next_open(["Europe/Berlin"], rules, dt.datetime(2026, 3, 29, 0, 45, tzinfo=dt.UTC)) == dt.datetime(
            2026, 3, 30, 0, 0, tzinfo=dt.UTC
        )

    @pytest.mark.parametrize("left_out", ["2026-11-27", "2026-11-28"])
    def test_a_night_ends_with_the_day_that_is_left_out(self, left_out: str) -> None:
        rules = read("fri 20:00-02:00", left_out).general
        at_one = dt.datetime(2026, 11, 28, 1, 0, tzinfo=dt.UTC)  # Saturday, in the night that began on Friday

        assert opening_hours.is_open(["UTC"], read("fri 20:00-02:00").general, at_one)
        assert not opening_hours.is_open(["UTC"], rules, at_one)

    def test_what_no_moment_suits_in_all_zones_never_opens(self) -> None:
        rules = read("mon-sun 10:00-18:00").general

        assert (
            next_open(["Europe/Kaliningrad", "Asia/Kamchatka"], rules, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) is None
        )


class ReadTests:
    def test_hours_by_country_and_dates(self) -> None:
        hours = read("mon-fri 09:00-12:00, 13:00-20:00\nIN, BD: fri-mon 20:00-02:00", "2026-12-25\nIN: 2026-08-15")

        assert hours.general.weekly[0] == ((540, 720), (780, 1200))
        assert hours.general.weekly[5] == ()
        assert [DAYS[day] for day in range(7) if hours.of("IN").weekly[day]] == ["mon", "fri", "sat", "sun"]
        assert hours.of("IN").weekly[0] == ((1200, 1560),)
        assert hours.of("IN").left_out == {dt.date(2026, 12, 25), dt.date(2026, 8, 15)}
        assert hours.of("BD").left_out == hours.of("DE").left_out == {dt.date(2026, 12, 25)}

    @pytest.mark.parametrize(
        ("hours", "left_out", "said"),
        [
            ("", "", "Write the hours for all countries first"),
            ("IN: mon 09:00-10:00", "", "Write the hours for all countries first"),
            ("mon 09:00", "", "is not a line of hours"),
            ("someday 09:00-10:00", "", "is not a line of hours"),
            ("mon 09:00-09:00", "", "is never open"),
            ("mon 09:00-25:00", "", "is not a time of day"),
            ("mon 09:61-10:00", "", "is not a time of day"),
            ("mon 09:00-10:00\nXX: mon 09:00-10:00", "", "“XX” is not a country"),
            ("mon 09:00-10:00\nß: mon 09:00-10:00", "", "is not a line of hours"),  # which is no SS, South Sudan
            ("mon 09:00-10:00", "25.12.2026", "is not a date"),
            ("mon 09:00-10:00", "9999-12-31", "is not a date"),
        ],
    )
    def test_what_cannot_be_read_says_what_to_do(self, hours: str, left_out: str, said: str) -> None:
        with pytest.raises(InvalidHours, match=said):
            read(hours, left_out)

    def test_a_part_replaces_what_was_there_for_its_countries(self) -> None:
        text = opening_hours.with_part("mon-fri 09:00-20:00\nIN, BD: sat 10:00-14:00", ["in"], ["sun 10:00-11:00"])

        assert text == "mon-fri 09:00-20:00\nBD: sat 10:00-14:00\nIN: sun 10:00-11:00"
        assert opening_hours.with_part(text, [], ["mon 08:00-09:00"]).splitlines()[0] == "mon 08:00-09:00"

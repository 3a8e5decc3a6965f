"""A condition as text and as rows: written, read and clicked together, it is the same."""

import datetime as dt
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laaffic_console.kit.words.planned_years import FIRST_YEAR, LAST_YEAR
from messaging.conditions import condition_rows, condition_texts, conditions
from messaging.conditions.condition_rows import Row, rows_of
from messaging.conditions.conditions import (
    LAST,
    Condition,
    ConditionError,
    Contains,
    Contrary,
    Either,
    Every,
    Happened,
    InCampaign,
    InGroup,
    IsSet,
    Never,
    OneOf,
    Replied,
)

DAYS = st.dates(dt.date(FIRST_YEAR, 1, 2), dt.date(LAST_YEAR, 12, 30)).map(str)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
NAMES = st.text(string.ascii_letters + string.digits + " -_.é”,()", min_size=1, max_size=8)
FIELDS = st.one_of(st.just("language"), NAMES.map("attribute.{}".format))
UNIQUE = st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple)
MOMENTS = st.sampled_from(["imported", *LAST])
TESTS = st.one_of(
    st.builds(
        OneOf,
        st.just("country"),
        st.lists(st.sampled_from(["IN", "BD", "GB"]), min_size=1, max_size=3, unique=True).map(tuple),
    ),
    st.builds(OneOf, st.just("language"), st.just(("en", "zh-hans"))),
    st.builds(OneOf, NAMES.map("attribute.{}".format), UNIQUE),
    st.builds(Contains, NAMES.map("attribute.{}".format), TEXTS),
    st.builds(IsSet, FIELDS),
    st.builds(InGroup, TEXTS),
    st.builds(InCampaign, st.integers(0, 10**15 - 1)),
    st.builds(Replied, st.integers(0, 10**15 - 1)),
    st.builds(Never, MOMENTS),
    st.builds(Happened, MOMENTS, st.booleans(), day=DAYS),
    st.builds(Happened, MOMENTS, st.booleans(), hours_ago=st.integers(0, conditions.MOST_HOURS)),
)
PARTS = st.lists(st.deferred(lambda: CONDITIONS), min_size=2, max_size=4).map(tuple)
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    TESTS,
    st.builds(Contrary, st.deferred(lambda: CONDITIONS)),
    st.builds(Every, PARTS),
    st.builds(Either, PARTS),
    st.builds(Either, st.lists(st.builds(InGroup, TEXTS), min_size=2, max_size=3).map(tuple)),
)
FLAT = st.one_of(TESTS, TESTS.map(Contrary))
IN_ROWS = st.one_of(
    FLAT,
    st.builds(Every, st.lists(FLAT, min_size=2).map(tuple)),
    st.builds(Either, st.lists(FLAT, min_size=2).map(tuple)),
)


def is_short(condition: Condition) -> bool:
    """Shorter and less deep than what the language takes."""
    text = condition_texts.write(condition)
    return len(text) <= conditions.LONGEST and text.count("(") + text.count("not") < conditions.DEEPEST


@given(CONDITIONS.filter(is_short))
def test_what_is_written_is_read_as_the_same(condition: Condition) -> None:
    assert condition_texts.parse(condition_texts.write(condition)) == condition


@given(st.one_of(IN_ROWS, CONDITIONS).filter(is_short))
def test_rows_say_the_same_where_they_can(condition: Condition) -> None:
    rows = rows_of(condition)

    if rows is not None:
        again = [Row.from_json(row) for row in rows.as_json()["rows"]]
        assert condition_rows.joined(tuple(row.condition() for row in again), is_any=rows.is_any) == condition


@pytest.mark.parametrize(
    "text",
    [
        'country in (IN, BD) and attribute.city = "Pune" and not group "Staff" and last_delivered < 30 days ago '
        "and not in campaign 12",
        "in campaign 12 and not replied to campaign 12",
        'group in ("A", "B") or language != en or attribute."shoe size" is not set',
        "(country = IN or country = BD) and language = en",
        'not (group in ("A", "B") and last_replied never) or added since 2026-03-31',
        'imported > 36 hours ago and not attribute.note contains "said \\"no\\""',
    ],
)
def test_it_is_written_as_people_write_it(text: str) -> None:
    assert condition_texts.write(condition_texts.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("country = IN and not group A", True),
        ("country = IN or group in (A, B)", True),
        ("group A or group B", True),
        ("(country = IN or language = en) and group A", False),
        ("not (country = IN and group A)", False),
        ("not not group A", False),
    ],
)
def test_only_nested_brackets_stay_text(text: str, can: bool) -> None:
    assert (rows_of(condition_texts.parse(text)) is not None) is can


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (Row("", "one_of"), "what the row is about"),
        (Row("country", "one_of"), "Choose or write a value"),
        (Row("country", "one_of", values=("Narnia",)), "not a country"),
        (Row("attribute", "one_of", values=("Pune",)), "Choose an attribute"),
        (Row("group", "one_of"), "Choose a group"),
        (Row("campaign", "one_of", values=("spring",)), "not a campaign's number"),
        (Row("added", "never"), "Every contact was added"),
        (Row("added", "since", values=("soon",)), "Choose a day"),
        (Row("added", "since", values=("2026-02-30",)), "no such day"),
        (Row("added", "within", values=("-1",)), "whole number"),
        (Row("added", "within", values=("99999999",)), "too long ago"),
    ],
)
def test_what_a_row_lacks_is_said(row: Row, says: str) -> None:
    with pytest.raises(ConditionError, match=says):
        row.condition()


@pytest.mark.parametrize("given", [None, 3, {"field": 1, "values": "IN"}, {"field": "country", "values": [None, {}]}])
def test_a_row_that_no_page_sends_is_refused_in_words(given: object) -> None:
    with pytest.raises(ConditionError):
        Row.from_json(given).condition()

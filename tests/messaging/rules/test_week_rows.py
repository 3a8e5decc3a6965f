"""A calendar as rows of fields: what they say is the text, and the text is rows again."""

import pytest
from django.http import QueryDict

from messaging.hours import opening_hours, week_rows
from messaging.hours.week_rows import Part


def posted(**fields: list[str]) -> list[Part]:
    data = QueryDict(mutable=True)
    for name, values in fields.items():
        data.setlist(name.replace("_", "-"), values)
    data.setlist("part", ["0", "1", "2"])
    return week_rows.of_post(data)


@pytest.mark.parametrize(
    ("hours", "left_out"),
    [
        ("mon-fri 09:00-20:00", ""),
        ("mon-wed,sat,sun 09:00-12:00, 13:00-24:00\nfri 20:00-02:00", "2026-12-25\n2027-01-01"),
        ("mon-sun 00:00-24:00\nIN, BD: sat 10:00-14:00\nBR: mon,tue 08:00-09:00", "2026-12-25\nIN, BD: 2026-08-15"),
        ("mon 09:00-10:00", "PK: 2026-08-14"),
    ],
)
def test_text_becomes_rows_and_the_same_text(hours: str, left_out: str) -> None:
    said = week_rows.as_text(week_rows.of_text(hours, left_out))

    assert opening_hours.read(*said) == opening_hours.read(hours, left_out)
    assert said == (hours, left_out)


def test_fields_become_text() -> None:
    parts = posted(
        **{
            "0_mon_from": ["09:00", "13:00", ""],
            "0_mon_to": ["12:00", "00:00", ""],
            "0_date": ["", "2026-12-25"],
            "1_countries": ["in,  bd"],
            "1_sat_from": ["10:00"],
            "1_sat_to": ["14:00"],
        }
    )

    assert week_rows.problems(parts) == []
    assert week_rows.as_text(parts) == ("mon 09:00-12:00, 13:00-24:00\nIN, BD: sat 10:00-14:00", "2026-12-25")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Give the hours that hold everywhere"),
        ({"0_mon_from": ["09:00"], "0_mon_to": [""]}, "Monday, everywhere: give both"),
        ({"0_mon_from": ["09:00"], "0_mon_to": ["10:00"], "1_date": ["2026-01-01"]}, "for which countries"),
        ({"0_mon_from": ["09:00"], "0_mon_to": ["10:00"], "1_countries": ["IN"]}, "IN: give hours or dates"),
    ],
)
def test_what_is_missing_is_said(fields: dict[str, list[str]], said: str) -> None:
    assert any(said in problem for problem in week_rows.problems(posted(**fields)))

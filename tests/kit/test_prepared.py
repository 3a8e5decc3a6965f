"""Statements that PostgreSQL keeps: read once, filled in ever after, and with what never differs in their text."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.postgresql.psycopg_any import Jsonb

from laaffic_console.kit.sql import prepared
from laaffic_console.kit.sql.constant_sql import Given

KEPT = "SELECT statement FROM pg_prepared_statements WHERE statement LIKE 'SELECT %::int + 1000%' ORDER BY statement"
MOMENT = dt.datetime(2026, 3, 1, 12, 30, tzinfo=dt.UTC)


def postgresql(**options: Any) -> DatabaseWrapper:
    there = {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "USER": "postgres", "NAME": "postgres"}
    settings = {**connections["default"].settings_dict, **there, "PASSWORD": "", "PORT": "", "OPTIONS": options}
    return DatabaseWrapper(settings, "postgresql")


@pytest.fixture
def to(request: pytest.FixtureRequest, db: None) -> Iterator[DatabaseWrapper]:
    wrapper = postgresql(prepare_threshold=getattr(request, "param", 0))
    yield wrapper
    wrapper.close()


def asked(to: DatabaseWrapper, n: int) -> list[tuple[Any, ...]]:
    with prepared.cursor(to) as cursor:
        cursor.execute("SELECT %s::int + 1000", [n])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def kept(to: DatabaseWrapper) -> list[str]:
    with to.cursor() as cursor:
        cursor.execute(KEPT.replace("%", "%%"), [])
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.services
def test_one_text_is_kept_for_all_values(to: DatabaseWrapper) -> None:
    assert [asked(to, n) for n in range(3)] == [[(1000,)], [(1001,)], [(1002,)]]

    assert kept(to) == ["SELECT $1::int + 1000"]


@pytest.mark.services
@pytest.mark.parametrize("to", [None], indirect=True)
def test_behind_a_pooler_none_is_kept(to: DatabaseWrapper) -> None:
    assert asked(to, 1) == [(1001,)]

    assert kept(to) == []


@pytest.mark.services
def test_a_logged_statement_shows_its_values(to: DatabaseWrapper) -> None:
    to.force_debug_cursor = True
    asked(to, 7)

    assert to.queries[-1]["sql"] == "SELECT 7::int + 1000"


@pytest.mark.services
def test_errors_are_djangos_own(to: DatabaseWrapper) -> None:
    with pytest.raises(DataError), prepared.cursor(to) as cursor:
        cursor.execute("SELECT 1 / %s::int", [0])


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (7, "7"),
        (-1, " -1"),  # behind another minus it would be a comment
        (True, "true"),
        (None, "NULL"),
        ("it's 5 %s", "'it''s 5 %%s'"),
        ("back\\slash", r" E'back\\slash'"),
        (MOMENT, "'2026-03-01 12:30:00+00:00'::timestamptz"),
        ([1, 2], "'{1,2}'::int2[]"),
        (Jsonb({"a": "100%"}), """'{"a": "100%%"}'::jsonb"""),
    ],
)
def test_what_never_differs_stands_in_the_text(value: Any, written: str) -> None:
    sql, left = prepared.with_constants("a = %s AND b = %s AND c LIKE '%%x'", [value, Given("b")], Given)

    assert sql == f"a = {written} AND b = %s AND c LIKE '%%x'"
    assert [one.name for one in left] == ["b"]

"""Statements that are written once: what they give is what their querysets give."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DataError, connection, transaction
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.api import tokens
from laaffic_console.api.models import ApiToken
from laaffic_console.gateway.models import Lease, LedgerEntry
from laaffic_console.kit.sql.constant_sql import Given, Insert, Select, Update, kept

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def token() -> ApiToken:
    return tokens.create("shop", user=User.objects.create_user("shop"), scopes=["read"])[0]


def test_what_is_joined_comes_with_it(token: ApiToken, django_assert_num_queries: Any) -> None:
    named = Select(lambda: ApiToken.objects.select_related("user", "first").filter(name=Given("name")))
    named.first(ApiToken, name="nobody")

    with django_assert_num_queries(1):
        found = named.first(ApiToken, name="shop")
        said = (found.user.username, found.first, found.scopes)

    assert found == token
    assert said == ("shop", None, ["read"])


def test_a_field_keeps_values_its_own_way(token: ApiToken) -> None:
    @Update
    def _narrow() -> tuple[QuerySet[ApiToken], dict[str, Any]]:
        return ApiToken.objects.filter(pk=Given("pk")), kept(ApiToken, "scopes", "expires_at")

    assert _narrow(pk=token.pk, scopes=["send"], expires_at=None) == 1

    token.refresh_from_db()
    assert token.scopes == ["send"]


def test_new_rows_get_what_django_gives_them() -> None:
    rows = [User(username=name) for name in ("a", "b", "c")]
    Insert(User, keys=True)(rows)

    there = list(User.objects.order_by("pk"))
    assert [(one.pk, one.username, one.is_active) for one in rows] == [(o.pk, o.username, o.is_active) for o in there]
    assert not any(row._state.adding for row in rows)


def test_columns_that_are_null_in_all_rows_are_left_out() -> None:
    insert, now = Insert(User, keys=True), timezone.now()
    for moments, is_written in ([None, None], False), ([None, now], True), ([None, None], False):
        User.objects.all().delete()
        with CaptureQueriesContext(connection) as statements:
            insert([User(username=f"user {n}", last_login=at) for n, at in enumerate(moments)])

        assert ("last_login" in statements[0]["sql"].partition("VALUES")[0]) is is_written
        assert list(User.objects.order_by("pk").values_list("last_login", flat=True)) == moments


def test_each_row_gets_the_key_of_its_own_values() -> None:
    """On PostgreSQL several rows are an array a column: of JSON, of moments and with NULL among them."""
    now = timezone.now()
    written = [
        LedgerEntry(
            interface="bind", about_id=None if n == 1 else n, summary={"n": n, "text": 'a "b" {c}, \\'}, prepared_at=now
        )
        for n in range(4)
    ]

    Insert(LedgerEntry, keys=True)(written)

    for row in written:
        kept = LedgerEntry.objects.get(pk=row.pk)
        assert (kept.about_id, kept.summary, kept.prepared_at) == (row.about_id, row.summary, now)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no lengths")
@pytest.mark.parametrize("n", [1, 2])
def test_what_is_too_long_for_its_column_is_refused(n: int) -> None:
    too_long = [LedgerEntry(interface="x" * 200, prepared_at=timezone.now()) for _ in range(n)]

    with pytest.raises(DataError), transaction.atomic():
        Insert(LedgerEntry, keys=True)(too_long)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks no rows")
def test_a_lock_outside_of_a_transaction_is_refused_each_time() -> None:
    locked = Select(lambda: Lease.objects.select_for_update().filter(name=Given("name")))
    with transaction.atomic():
        assert locked.first(Lease, name="send:1") is None

    for _ in range(2):
        with pytest.raises(TransactionManagementError):
            locked.first(Lease, name="send:1")


def test_rows_get_the_moments_that_their_queryset_gives(token: ApiToken) -> None:
    """A moment that many rows share is read once; none stays none, and other columns are their own rows'."""
    moments = [None, timezone.now(), timezone.now() - dt.timedelta(days=9)]
    for n in range(7):
        User.objects.create(username=f"ada{n}", last_login=moments[n % 3])

    def everybody() -> "QuerySet[User, Any]":
        return User.objects.order_by("pk").values_list("username", "last_login", "is_active")

    assert Select(everybody).rows() == list(everybody())
    assert Select(lambda: everybody().filter(pk=0)).rows() == []

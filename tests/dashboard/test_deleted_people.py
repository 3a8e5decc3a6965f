"""The page before a user is deleted says how much goes with them, without reading it."""

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.dashboard.people import deleted_people
from laaffic_console.notices.models import Notice


@pytest.mark.django_db
def test_what_goes_with_a_user_is_counted_and_not_listed(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleted_people, "COUNT_LIMIT", 2)
    user = User.objects.create(username="ben")
    named = {field.name for field in Notice._meta.fields}
    given = {"created_at": timezone.now()} if "created_at" in named else {}
    Notice.objects.bulk_create(Notice(user=user, **given) for _n in range(5))

    with CaptureQueriesContext(connection) as captured:
        said = admin_client.get(reverse("admin:auth_user_delete", args=[user.pk])).content.decode()

    asked = [query["sql"] for query in captured if "notices_notice" in query["sql"] and "IN (" in query["sql"]]
    assert "Notices" in said or "notices" in said
    assert asked
    assert all("LIMIT 3" in sql for sql in asked)


def test_nothing_keeps_a_user_that_this_page_does_not_know() -> None:
    known = {models.CASCADE, models.SET_NULL, models.PROTECT, models.RESTRICT, None}

    assert {relation.on_delete for relation in User._meta.related_objects} <= known

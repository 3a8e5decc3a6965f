"""Rows without a value in a sorted list: in the same place on both databases, also where the value is a relation's."""

import pytest
from django.contrib.auth.models import User

from laaffic_console.gateway.models import Application
from laaffic_console.kit.lists import list_order
from messaging.models import Campaign, EmailCampaign

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("column", ["created_by", "created_by__username", "launched_by"])
def test_without_a_related_row_it_is_below_all_that_have_one(application: Application, column: str) -> None:
    ada = User.objects.create(username="ada")
    some = {column.split("__")[0]: ada}
    Campaign.objects.create(name="nobody", application=application)
    Campaign.objects.create(name="ada", application=application, **some)

    for turned, wanted in ((column, ["nobody", "ada"]), (f"-{column}", ["ada", "nobody"])):
        ordered = Campaign.objects.order_by(*list_order.empty_as_least(Campaign, [turned]))
        assert list(ordered.values_list("name", flat=True)) == wanted


@pytest.mark.parametrize(
    ("column", "paths"),
    [
        ("-created_by", ["created_by__pk"]),
        ("-created_by__username", ["created_by__username"]),
        ("-scheduled_at", ["scheduled_at"]),
    ],
)
def test_on_postgresql_what_may_be_empty_is_placed(
    monkeypatch: pytest.MonkeyPatch, column: str, paths: list[str]
) -> None:
    monkeypatch.setattr(list_order.connection, "vendor", "postgresql")

    placed = list_order.empty_as_least(Campaign, [column])

    assert [(one.expression.name, one.descending, one.nulls_last) for one in placed] == [
        (path, True, True) for path in paths
    ]


@pytest.mark.parametrize("column", ["-name", "application", "no_such_column", "-pk"])
def test_what_is_never_empty_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    monkeypatch.setattr(list_order.connection, "vendor", "postgresql")

    assert list_order.empty_as_least(EmailCampaign, [column]) == [column]

"""Addresses and forms with what no database can look for: a page or a sentence, never an error 500."""

import datetime as dt
import logging
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from laaffic_console.dashboard.site import ConsoleSite
from laaffic_console.gateway.models import Application
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.forms import odd_requests
from messaging.models import Campaign, Contact, ContactGroup, EmailCampaign
from voice.models import GroupTask

# On PostgreSQL a query that fails spoils its transaction; a request has one a query, so the tests may have none around.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "postgresql")

VALUES = [
    *("99999999999999999999", "-99999999999999999999", "9" * 5000, "1e999", "nan", "٣", "0", "-1"),
    *("(", "[", "*", "(?P<", "\\", "a{99999}", "%", "_"),
    *("\0", "a\0b", "\ud7ff\ue000", "\u202e", "'", '"', ",", ",,", "1,2,(", ""),
    *("0001-01-01", "9999-12-31", "0001-01-01 00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2027-02-30", "24:00"),
    *("None", "null", "true", "2", "{}", "[1]", '{"a": 1}'),
]
PLAIN = [
    "q",
    "p",
    "o",
    "e",
    "all",
    "_facets",
    "_to_field",
    "_popup",
    "group",
    "in",
    "id",
    "pk",
    "shown",
    "period",
    "due",
]
PAGES = sorted(model._meta.label_lower for model in admin.site._registry)
AT_A_TIME = 20
ENDS = ("exact", "id__exact", "isnull", "in")


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def names_of(model: Any) -> list[str]:
    """Everything that can stand before the `=`: each field with each of its look-ups, and of its year."""
    found = list(PLAIN)
    for offered in admin.site._registry[model].list_filter:
        if hasattr(offered, "parameter_name"):
            found += [offered.parameter_name] * 20
        else:
            found += [f"{offered if isinstance(offered, str) else offered[0]}__{end}" for end in ENDS]
    for field in model._meta.concrete_fields:
        found += [field.name, *(f"{field.name}__{lookup}" for lookup in field.get_lookups())]
        if "year" in field.get_lookups():
            found += [f"{field.name}__year__{lookup}" for lookup in ("gte", "exact")]
    return found


def queries_of(model: Any) -> list[dict[str, str]]:
    chance = random.Random(f"odd {model._meta.label_lower}")
    names = names_of(model)
    return [{chance.choice(names): chance.choice(VALUES)} for _ in range(AT_A_TIME)]


@pytest.mark.thorough
@pytest.mark.parametrize("label", PAGES)
def test_no_list_fails_by_what_its_address_asks_for(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    monkeypatch.setattr(ConsoleSite, "get_sidebar_list", lambda site, request: [])  # nothing of it is in an address
    model = next(model for model in admin.site._registry if model._meta.label_lower == label)
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")

    for query in queries_of(model):
        answer = signed_in.get(f"{address}?{urlencode(query)}")

        assert answer.status_code in (200, 302, 400), query


def routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Each address with a number in it, once."""
    for one in resolver.url_patterns:
        route = f"{before}{one.pattern}"
        if isinstance(one, URLResolver):
            yield from routes(one, route)
        elif "<int:" in route:
            yield route


@pytest.mark.thorough
@pytest.mark.parametrize("who", ["somebody", "nobody"])
def test_no_address_fails_by_a_number_that_no_column_holds(client: Client, who: str) -> None:
    if who == "somebody":
        client.force_login(User.objects.create_superuser("root"))
    client.raise_request_exception = False
    given = {"int": "9" * 26}
    asked = {re.sub(r"<(\w+):\w+>", lambda gap: given.get(gap[1], "x"), route) for route in routes(get_resolver())}
    assert len(asked) > 200

    assert [path for path in sorted(asked) if client.get(f"/{path}").status_code >= 500] == []


@pytest.mark.parametrize(
    "query",
    [
        *("group=99999999999999999999", "name=a%00b", "q=%00", "created_at__year=0", "number__regex=("),
        *("created_at__gte=0001-01-01", "created_at__lte=9999-12-31", "id__in=1,99999999999999999999", "p=" + "9" * 30),
        *("created_at__year__gte=99999", "number__iregex=%5B", "group=%00", "e=1&id=x"),
    ],
)
def test_contacts_are_shown_whatever_is_asked_of_them(signed_in: Client, query: str) -> None:
    Contact.objects.create(number="919876543210", name="Asha")

    answer = signed_in.get(reverse("admin:messaging_contact_changelist") + f"?{query}", follow=True)

    assert answer.status_code == 200


@pytest.mark.parametrize("query", ["bogus__x=1", "number__regex=(", "created_at__year=x", "id__exact=%0Anot"])
def test_an_odd_address_is_one_line_in_the_log(signed_in: Client, query: str, caplog: pytest.LogCaptureFixture) -> None:
    Contact.objects.create(number="919876543210", name="Asha")

    signed_in.get(reverse("admin:messaging_contact_changelist") + f"?{query}", follow=True)

    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.exc_info for record in told if record.exc_info] == []
    assert all("\n" not in record.getMessage() for record in told)
    assert len(told) <= 1


@pytest.mark.parametrize("query", ["created_at__year=0", "number__regex=(", "country=XX", "group=x", "import=added-x"])
def test_who_asks_for_what_cannot_be_looked_for_is_told(signed_in: Client, query: str) -> None:
    Contact.objects.create(number="919876543210", name="Asha")

    answer = signed_in.get(reverse("admin:messaging_contact_changelist") + f"?{query}", follow=True)

    assert "filters in the address are not valid" in answer.content.decode()
    assert "919876543210" in answer.content.decode()


def test_a_nul_in_a_form_is_left_out(signed_in: Client) -> None:
    signed_in.post(reverse("admin:messaging_contactgroup_add"), {"name": "Gold\0en"})

    assert ContactGroup.objects.get().name == "Golden"


@pytest.mark.parametrize("at", ["0001-01-01", "9999-12-31", "1899-12-31", "2200-01-01"])
def test_a_year_that_nobody_plans_for_is_refused(signed_in: Client, application: Any, at: str) -> None:
    sent = {
        "name": "Sale",
        "application": application.pk,
        "text": "Hello",
        "scheduled_at_0": at,
        "scheduled_at_1": "00:00",
    }

    answer = signed_in.post(reverse("admin:messaging_campaign_add"), sent)

    assert "Write a year from 1900 to 2199" in answer.content.decode()


def test_every_list_offers_what_it_answers_and_nothing_else() -> None:
    assert [a for a in admin.site._registry.values() if not isinstance(a, ModelAdmin)] == []


@pytest.mark.parametrize("problem", [TypeError, LookupError, AttributeError, ValueError, ProgrammingError])
def test_a_fault_of_ours_is_not_taken_for_a_bad_address(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch, problem: type[Exception]
) -> None:
    def broken(*_args: Any) -> None:
        raise problem("ours")

    monkeypatch.setattr("messaging.admin.contacts.contacts.ContactAdmin.in_groups", broken)
    Contact.objects.create(number="919876543210", name="Asha")

    with pytest.raises(problem, match="ours"):
        signed_in.get(reverse("admin:messaging_contact_changelist") + "?q=91")


def test_what_cannot_be_looked_for_is_not_exported_whole(signed_in: Client) -> None:
    Contact.objects.create(number="919876543210", name="Asha")

    answer = signed_in.get(reverse("admin:messaging_contact_export", args=["csv"]) + "?number__regex=(")

    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:messaging_contact_changelist") + "?e=1")


def test_the_links_of_our_pages_are_answered(signed_in: Client) -> None:
    for name in ("message", "emailmessage", "reply"):
        answer = signed_in.get(reverse(f"admin:messaging_{name}_changelist") + "?campaign__id__exact=1")
        assert answer.status_code == 200


# West of Greenwich the first hours are out of range, east of it the last ones.
@pytest.mark.parametrize(("zone", "year"), [("UTC", 1), ("America/New_York", 1), ("UTC", 9999), ("Asia/Kolkata", 9999)])
def test_a_moment_that_clocks_cannot_show_is_neither_stored_nor_fatal(signed_in: Client, zone: str, year: int) -> None:
    at = dt.datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, 23 * (year > 1), tzinfo=dt.UTC)
    made: list[tuple[str, Any, tuple[str, ...]]] = []
    for name, model, field, pages in (
        ("messaging_campaign", Campaign, "scheduled_at", ("change", "review")),
        ("messaging_emailcampaign", EmailCampaign, "scheduled_at", ("change", "review")),
        ("voice_grouptask", GroupTask, "send_at", ("change", "edit", "review")),
    ):
        application = Application.objects.create(app_id=name, channel={"m": "sms", "v": "voice"}[name[0]], name=name)
        with pytest.raises(ValidationError, match="out of range"), transaction.atomic():
            model.objects.create(name="x", application=application, **{field: at})
        row = model.objects.create(name="x", application=application)
        model.objects.filter(pk=row.pk).update(**{field: at})  # as it was stored before
        made.append((name, row, pages))

    with timezone.override(zone):
        for name, row, pages in made:
            for page in pages:
                answer = signed_in.get(reverse(f"admin:{name}_{page}", args=[row.pk]))
                assert answer.status_code in (200, 302), (name, page)


def test_a_locked_database_is_not_taken_for_a_bad_address() -> None:
    assert not odd_requests.is_unanswerable(OperationalError("database is locked"))
    assert odd_requests.is_unanswerable(OperationalError("user-defined function raised exception"))


def test_a_form_that_is_too_long_says_so(admin_client: Client, settings: LazySettings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = admin_client.post(reverse("admin:messaging_campaign_add"), {"text": "ñ" * 1000})

    assert answer.status_code == 400
    assert "a form takes 8 MB" in answer.content.decode()

"""Every search of the console: any alphabet in any case, and numbers as they are pasted."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, Contact, ContactGroup, GroupMembership, Reply, SuppressionEntry
from messaging.services.contacts import name_index, people_search
from phone_numbers.models import Binding, NumberPool, OwnedNumber
from voice.models import CallRecord, SipPhone

pytestmark = pytest.mark.django_db

NAMES = ["Łukasz Żak", "Иван Петров", "Ömer ÇELİK", "Straße", "ΣΊΣΥΦΟΣ", "Ann"]
TERMS = ["łukasz", "ŁUKASZ", "żak", "иван", "ПЕТРОВ", "ömer", "o\u0308mer", "çel", "σίσυφος", "Иван\u00a0Петров"]
NUMBER = "919876543210"
AS_PASTED = [
    "+91 98765 43210",
    "0091 98765-43210",
    "91\u00a098765\u202f43210",
    "\u202a+919876543210\u202c",
    "\u200e91 9876543210",
]


def found(client: Client, model: Any, **query: str) -> int:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return len(client.get(address, query).context["cl"].result_list)


@pytest.mark.parametrize("model", [ContactGroup, Application, Campaign, SipPhone])
def test_a_name_is_found_in_any_case_of_any_alphabet(admin_client: Client, model: Any) -> None:
    application = Application.objects.create(app_id="a", channel="sms", name="none")
    for at, name in enumerate(NAMES):
        given: dict[str, Any] = {"name": name}
        if model is Application:
            given |= {"app_id": f"app{at}", "channel": "sms"}
        elif model is Campaign:
            given |= {"application": application}
        elif model is SipPhone:
            given |= {"account": f"acc{at}", "last_seen_at": timezone.now(), "application": application}
        model.objects.create(**given)

    assert {term: found(admin_client, model, q=term) for term in TERMS} == dict.fromkeys(TERMS, 1)


@pytest.mark.parametrize("term", ["łuKASZ ż", "ИВАН п", "ÖMER çel", "o\u0308m", "σίσ"])
def test_a_contact_is_found_by_the_beginning_and_an_index(admin_client: Client, term: str) -> None:
    Contact.objects.bulk_create(Contact(number=f"91987654321{at}", name=name) for at, name in enumerate(NAMES))

    assert found(admin_client, Contact, q=term) == 1
    if connection.vendor == "sqlite":
        from messaging import search_indexes

        plan = Contact.objects.filter(search_indexes.starts("name", term)).order_by().explain()
        assert "contact_name_start" in plan
        assert "SCAN" not in plan


def test_the_list_of_contacts_finds_any_part_of_a_number_or_name(admin_client: Client) -> None:
    Contact.objects.create(number="447700900123", name="Ann-Marie de la Cruz", country="GB")
    Contact.objects.create(number=NUMBER, name="Other", country="IN")
    name_index.index_waiting()
    terms = ["0123", "0900", "07700 900123", "ruz", "mari cru", "Cruz, Ann-Marie"]

    assert {term: found(admin_client, Contact, q=term) for term in terms} == dict.fromkeys(terms, 1)
    assert found(admin_client, Contact, q="ruz", country="IN") == 0  # its filters hold


def test_a_list_of_many_beginnings_shows_them_all(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_search, "FEW", 2)
    Contact.objects.bulk_create(Contact(number=f"9198765432{at:02}", name=f"Ann {at:02}") for at in range(12))
    Contact.objects.create(number="447700900123", name="Joann")
    name_index.index_waiting()

    assert found(admin_client, Contact, q="ann") == 12
    assert found(admin_client, Contact, q="91987") == 12


def test_every_list_of_numbers_finds_one_as_it_is_pasted(admin_client: Client) -> None:
    now = timezone.now()
    application = Application.objects.create(app_id="a", channel="number", name="none")
    Contact.objects.create(number=NUMBER)
    SuppressionEntry.objects.create(number=NUMBER, channel="all", reason="opt_out")
    Reply.objects.create(number=NUMBER, content="x", at=now, received_at=now)
    CallRecord.objects.create(voice_id="v1", callee=NUMBER, at=now, first_seen_at=now)
    Binding.objects.create(application=application, bind_id="1", phone_a="1", phone_b=NUMBER)
    OwnedNumber.objects.create(number=NUMBER)
    NumberPool.objects.create(pool_number=NUMBER)

    for model in (Contact, SuppressionEntry, Reply, CallRecord, Binding, OwnedNumber, NumberPool):
        assert {term: found(admin_client, model, q=term) for term in AS_PASTED} == dict.fromkeys(AS_PASTED, 1), model


def test_any_of_a_thousand_groups_can_be_filtered_by(admin_client: Client) -> None:
    ContactGroup.objects.bulk_create(ContactGroup(name=f"Group {n:04}") for n in range(1000))
    last = ContactGroup.objects.get(name="Group 0999")
    GroupMembership.objects.create(contact=Contact.objects.create(number=NUMBER), group=last)
    Contact.objects.create(number="919876543211")
    asked = {"app_label": "messaging", "model_name": "contact", "field_name": "groups", "term": "group 0999"}

    offered = admin_client.get(reverse("admin:autocomplete"), asked).json()["results"]

    assert offered == [{"id": str(last.pk), "text": "Group 0999"}]
    page = admin_client.get(reverse("admin:messaging_contact_changelist"), {"group": last.pk})
    assert [row.number for row in page.context["cl"].result_list] == [NUMBER]
    assert "Group 0999" in page.content.decode()
    assert "Group 0998" not in page.content.decode()

"""What merge fields stand for beside a text that is being written."""

import json

import pytest
from django.test import Client

from laaffic_console.gateway.models import Application
from messaging.models import Contact, ContactGroup
from messaging.services.campaigns import drafts
from messaging.services.text import merge_samples
from messaging.text import merge_fields
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db


def test_as_long_as_values_but_not_the_values() -> None:
    for n, name in enumerate(["", "Ann", "Bo Li", "Cyrille", "Мария"]):
        Contact.objects.create(number=str(919876543210 + n), name=name, attributes={"city": "Pune"})

    found = merge_samples.stand_ins()

    assert found["name"] == ("", "x" * 5, "ш" * 7)
    assert found["city"] == ("xxxx", "xxxx", "xxxx")
    assert found["first_name"] == ("", "xxx", "ш" * 7)
    assert list(found)[: len(merge_fields.BUILT_IN)] == list(merge_fields.BUILT_IN)


def test_one_import_hides_no_fields_of_the_contacts_before_it() -> None:
    """The newest 500 all come from it, and its columns are others."""
    older = [Contact(number=str(919876500000 + n), attributes={"city": "Pune"}) for n in range(300)]
    newer = [Contact(number=str(919876600000 + n), attributes={"ort": "Ulm"}) for n in range(900)]
    Contact.objects.bulk_create(older + newer)

    assert {"city", "ort"} <= merge_samples.stand_ins().keys() & drafts.known_fields()
    assert drafts.unknown_fields("Hi {{name}} in {{city}}, {{ort}}") == []


def test_a_field_of_a_single_contact_is_known() -> None:
    contacts = [Contact(number=str(919876500000 + n)) for n in range(1200)]
    contacts[2].attributes = {"seat": "7b"}
    Contact.objects.bulk_create(contacts)

    assert drafts.unknown_fields("Hi {{seat}} {{sest}}") == ["sest"]


def test_without_contacts_fields_are_empty() -> None:
    assert merge_samples.stand_ins()["name"] == ("", "", "")


def test_few_queries_and_few_fields(group: ContactGroup, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    add_contacts(group, 30, attributes={f"field_{n}": "x" for n in range(40)})

    with django_assert_num_queries(2):
        assert len(merge_samples.stand_ins()) == merge_samples.SHOWN


@pytest.mark.usefixtures("application")
def test_the_form_brings_them(admin_client: Client, application: Application, group: ContactGroup) -> None:
    add_contacts(group, 1, name="Ann")

    page = admin_client.get("/admin/messaging/campaign/add/")

    attributes = page.context["adminform"].form["text"].subwidgets[0].data["attrs"]
    assert json.loads(attributes["data-fields"])["name"] == ["xxx", "xxx", "xxx"]
    assert attributes["data-segment-counter"] == "id_text-counter"
    assert "{n} of {limit} characters" in json.loads(attributes["data-labels"]).values()

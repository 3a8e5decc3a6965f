"""The preview of a text: as whom it is read, and what is said of who does not get it."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, Contact, ContactGroup, GroupMembership, SuppressionEntry
from messaging.services.campaigns import drafts, previews

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(application: Application, group: ContactGroup) -> Campaign:
    """To Asha and Łukasz; Bo is a contact and not in the group."""
    for at, name in enumerate(["Asha Rao", "Łukasz Żak"]):
        made = Contact.objects.create(number=f"91987654321{at}", name=name, country="IN")
        GroupMembership.objects.create(contact=made, group=group)
    Contact.objects.create(number="4915112345678", name="Bo Berg", country="DE")
    return drafts.create(name="Sale", application=application, sender_id="SHOP", text="Hi {{name}}", groups=[group])


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *(("919876543210", "Asha Rao"), ("+91 98765 43210", "Asha Rao"), ("0091-98765-43210", "Asha Rao")),
        *(("43210", "Asha Rao"), ("76543210", "Asha Rao"), ("asha", "Asha Rao"), ("RAO", "Asha Rao")),
        *(("łukasz", "Łukasz Żak"), ("ŻAK", "Łukasz Żak"), ("43211", "Łukasz Żak"), ("٤٣٢١١", "Łukasz Żak")),
        *(("\u202a91\u00a098765\u00a043211\u202c", "Łukasz Żak"), ("  asha \u200b rao ", "Asha Rao")),
    ],
)
def test_a_contact_is_found_as_people_write(draft: Campaign, typed: str, name: str) -> None:
    shown = previews.asked_for(draft, typed)

    assert shown.text == f"Hi {name}"
    assert shown.says == ""


@pytest.mark.parametrize("typed", ["nobody", "99999999999", "%", "_", "'", "١٩١٩", "9" * 400, "+"])
def test_one_that_does_not_exist_is_not_somebody_else(draft: Campaign, typed: str) -> None:
    shown = previews.asked_for(draft, typed)

    assert shown.contact is None
    assert shown.text == "Hi {{name}}"
    assert shown.says == f"There is no contact “{typed}”."


def test_who_is_outside_the_audience_is_said_to_be(draft: Campaign) -> None:
    assert "is not in this campaign's audience" in previews.asked_for(draft, "Bo").says


def test_who_is_left_out_or_suppressed_is_said_to_be(draft: Campaign) -> None:
    asha, lukasz = Contact.objects.order_by("number").filter(country="IN")
    left_out = ContactGroup.objects.create(name="VIP")
    GroupMembership.objects.create(contact=asha, group=left_out)
    draft.excluded_groups.add(left_out)
    SuppressionEntry.objects.create(number=lukasz.number, channel="sms", reason="opt_out")

    assert "left out" in previews.asked_for(draft, "Asha").says
    assert "suppression list" in previews.asked_for(draft, "43211").says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{offer}}", "nothing to read: Asha Rao (919876543210) gets nothing"),
        ("x" * 1020 + "{{name}}", "too long: Asha Rao"),
    ],
)
def test_who_cannot_be_sent_the_text_is_said_to_get_nothing(draft: Campaign, text: str, says: str) -> None:
    draft.text = text

    assert says in previews.first(draft).says
    assert says in previews.asked_for(draft, "asha").says


def test_of_several_who_match_the_campaigns_own_comes_first(draft: Campaign) -> None:
    Contact.objects.create(number="1098765", name="Asha Other", country="US")

    shown = previews.asked_for(draft, "asha")

    assert shown.text == "Hi Asha Rao"
    assert [other.name for other in shown.others] == ["Asha Other"]


def test_the_page_says_that_there_is_none(client: Client, draft: Campaign) -> None:
    client.force_login(User.objects.create_superuser("root"))

    page = client.get(reverse("admin:messaging_campaign_review", args=[draft.pk]) + "?contact=nobody")

    assert "There is no contact “nobody”." in unescape(page.content.decode())
    assert "Asha" not in page.content.decode()


def test_who_may_not_see_contacts_sees_none(client: Client, draft: Campaign) -> None:
    ada = User.objects.create_user("ada", is_staff=True)
    ada.user_permissions.add(Permission.objects.get(codename="view_campaign", content_type__app_label="messaging"))
    client.force_login(ada)
    address = reverse("admin:messaging_campaign_review", args=[draft.pk])

    page = client.get(address).content.decode()

    assert "Asha" not in page
    assert 'name="contact"' not in page
    assert client.get(address + "?contact=asha").status_code == 403


def test_a_name_that_makes_it_ucs_2_is_said_to(admin_client: Client, draft: Campaign) -> None:
    Campaign.objects.filter(pk=draft.pk).update(text="Hi {{name}} " + "n" * 60)
    address = reverse("admin:messaging_campaign_review", args=[draft.pk])

    asha, lukasz = (admin_client.get(address, {"contact": who}).content.decode() for who in ("Asha", "Łukasz"))

    assert 'id="why-otherwise"' not in asha
    assert "has letters outside GSM-7, so this message is UCS-2" in unescape(lukasz)
    assert "1 message is longer: what its fields fill in" in asha


def test_a_text_that_is_ucs_2_by_itself_needs_no_reason(draft: Campaign) -> None:
    assert not previews.why_otherwise("Ł {{name}}", "Ł Żak")
    assert not previews.why_otherwise("Hi {{name", "Ł")
    assert not previews.why_otherwise("Hi {{name}}", "Hi Asha")


def test_two_clocks_of_a_country_do_not_read_as_hours(admin_client: Client, draft: Campaign) -> None:
    Contact.objects.filter(country="IN").update(time_zones="Asia/Jakarta,Asia/Makassar")

    page = admin_client.get(reverse("admin:messaging_campaign_review", args=[draft.pk])).content.decode()

    assert re.search(r"\d\d:\d\d to (\w+ )?\d\d:\d\d, depending on the time zone", page)

"""Consent on the pages: shown where a person is, noted by hand, told before a launch."""

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from messaging.models import Campaign, Consent, ConsentState, Contact, ContactGroup, GateTally
from messaging.services.campaigns import drafts
from messaging.services.contacts import consents
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

NUMBER = "919876543210"


def test_it_is_noted_by_hand_with_a_reason(admin_client: Client) -> None:
    contact = Contact.objects.create(number=NUMBER, country="IN")
    page = reverse("admin:messaging_person_consent", args=[NUMBER])
    given = {"channel": "sms", "state": "given", "seen": "0"}

    assert "This field is required" in admin_client.post(page, {**given, "why": ""}).content.decode()
    answer = admin_client.post(page, {**given, "why": "signed <b>on</b> 3 May"}, follow=True)

    assert "signed &lt;b&gt;on&lt;/b&gt; 3 May" in answer.content.decode()
    assert Consent.objects.get().state == "given"
    [entry] = AuditEntry.objects.filter(object_kind__endswith="consent")
    assert entry.details["changes"] == [["SMS", ConsentState.UNKNOWN.label, ConsentState.GIVEN.label]]
    facts = admin_client.get(reverse("admin:messaging_contact_change", args=[contact.pk])).content.decode()
    assert "Consent to marketing" in facts
    assert page in facts


def test_what_was_said_meanwhile_is_not_passed_over(admin_client: Client) -> None:
    page = reverse("admin:messaging_person_consent", args=[NUMBER])
    given = {"channel": "sms", "state": "given", "why": "by phone", "seen": "0"}
    consents.set_by_hand(NUMBER, channel="sms", state="withdrawn", why="letter", by=None)

    refused = admin_client.post(page, given)

    assert "Consent has been changed in the meantime" in refused.content.decode()
    assert Consent.objects.get().state == "withdrawn"
    admin_client.post(page, {**given, "seen": str(refused.context["seen"])})
    assert Consent.objects.get().state == "given"


def test_who_is_left_out_is_said_before_and_after_the_launch(
    admin_client: Client, application: Application, group: ContactGroup, settings: LazySettings
) -> None:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"
    settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True
    account.laaffic_client.cache_clear()
    first, *_others = add_contacts(group, 3)
    consents.set_by_hand(first.number, channel="sms", state="given", why="letter", by=None)
    marketing = Campaign.Purpose.MARKETING
    draft = drafts.create(
        name="A", application=application, sender_id="S", text="Hi", groups=[group], purpose=marketing
    )

    review = admin_client.get(reverse("admin:messaging_campaign_review", args=[draft.pk])).content.decode()
    Campaign.objects.update(state="finished", audience="frozen", total=1, dropped_consent=2)
    GateTally.objects.create(campaign=draft, gate="frequency", stopped=7)
    page = admin_client.get(reverse("admin:messaging_campaign_change", args=[draft.pk])).content.decode()

    assert "2 left out: no consent" in review
    assert "<dt>no consent</dt>" in page
    assert "<dt>had enough messages when claimed</dt>" in page
    account.laaffic_client.cache_clear()

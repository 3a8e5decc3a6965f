"""What the pages of a contact and of a person offer to do: send, call, suppress; to whom, and to which numbers."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, Contact
from messaging.services.contacts import suppression
from voice.models import GroupTask, SipPhone, TaskNumbers

pytestmark = pytest.mark.django_db

NUMBER = "919811112222"
PERSON = f"/admin/messaging/contact/person/{NUMBER}/"
SEND, CALL, SUPPRESS = 'id="send-sms"', 'id="call"', 'id="suppress"'


@pytest.fixture
def contact() -> Contact:
    return Contact.objects.create(number=NUMBER, name="Asha")


@pytest.fixture
def sms(db: None) -> Application:
    return Application.objects.create(app_id="smsApp", channel="sms")


@pytest.fixture
def phone(application: Application) -> SipPhone:
    return SipPhone.objects.create(application=application, account="test_001", last_seen_at=timezone.now())


def page_of(contact: Contact) -> str:
    return reverse("admin:messaging_contact_change", args=[contact.pk])


def offers(client: Client, address: str) -> dict[str, str]:
    """{name: address}; "" where it says why not."""
    return {one.name: one.address for one in client.get(address).context["person_acts"]}


class OfferTests:
    def test_a_contact_can_be_sent_to_called_and_suppressed(
        self, admin_client: Client, contact: Contact, sms: Application, phone: SipPhone
    ) -> None:
        for address in (page_of(contact), PERSON):
            said = admin_client.get(address).content.decode()
            assert [said.count(one) for one in (SEND, CALL, SUPPRESS)] == [1, 1, 1]

    def test_a_number_that_is_no_contact_too(self, admin_client: Client, sms: Application, phone: SipPhone) -> None:
        offered = offers(admin_client, PERSON)

        form = admin_client.get(offered["send-sms"]).context["adminform"].form
        assert form["numbers"].value() == f"+{NUMBER}"
        assert f'value="+{NUMBER}"' in admin_client.get(offered["call"]).content.decode()

    def test_only_what_somebody_may_do(
        self, staff: Callable[..., Client], contact: Contact, sms: Application, phone: SipPhone
    ) -> None:
        client = staff("view_contact", "see_numbers")
        assert offers(client, page_of(contact)) == offers(client, PERSON) == {}

        User.objects.get().user_permissions.add(Permission.objects.get(codename="add_sipcall"))
        assert list(offers(client, PERSON)) == ["call"]

    def test_who_sees_no_whole_number_sends_to_a_contact_and_dials_none(
        self, staff: Callable[..., Client], contact: Contact, sms: Application, phone: SipPhone
    ) -> None:
        client = staff("view_contact", "add_campaign", "add_sipcall")

        assert list(offers(client, page_of(contact))) == ["send-sms"]
        assert NUMBER not in client.get(page_of(contact)).content.decode()

    def test_nothing_that_the_form_would_refuse(self, admin_client: Client, contact: Contact) -> None:
        assert offers(admin_client, PERSON) == {}, "there is no application and no phone"

        Application.objects.create(app_id="smsApp", channel="sms")
        assert list(offers(admin_client, PERSON)) == ["send-sms"]
        assert offers(admin_client, "/admin/messaging/contact/person/1/") == {}, "an invalid number"

    @pytest.mark.parametrize(
        ("channel", "left"), [("sms", ["call"]), ("voice", ["send-sms"]), ("all", []), ("email", ["send-sms", "call"])]
    )
    def test_who_is_suppressed_is_said_to_be(
        self, admin_client: Client, contact: Contact, sms: Application, phone: SipPhone, channel: str, left: list[str]
    ) -> None:
        suppression.suppress_numbers([NUMBER], channel=channel, reason="manual")

        for address in (page_of(contact), PERSON):
            assert [name for name, at in offers(admin_client, address).items() if at] == left
            said = admin_client.get(address).content.decode()
            assert ("Suppressed: gets no SMS." in said) is ("send-sms" not in left)
            assert ("Suppressed: is not called." in said) is ("call" not in left)


class FormTests:
    def test_a_number_without_its_country_is_told_what_the_call_form_takes(
        self, admin_client: Client, phone: SipPhone
    ) -> None:
        answer = admin_client.post(reverse("admin:voice_sipcall_add"), {"phone": phone.pk, "callee": "13800138"})

        [said] = answer.context["form"].errors["callee"]
        assert "begin with + and its country" in said
        assert "choose" not in said

    def test_an_sms_to_one_contact_is_reviewed(self, admin_client: Client, contact: Contact, sms: Application) -> None:
        address = offers(admin_client, page_of(contact))["send-sms"]
        form = admin_client.get(address)
        assert (form.context["address"], form.context["back"]) == (address, page_of(contact))

        empty = admin_client.post(address, {"_confirmed": "1", "application": sms.pk, "text": ""})
        assert "text" in empty.context["form"].errors
        sent = admin_client.post(address, {"_confirmed": "1", "application": sms.pk, "text": "Hi {{name}}"})

        campaign = Campaign.objects.get()
        assert sent["Location"] == reverse("admin:messaging_campaign_review", args=[campaign.pk])
        assert list(campaign.groups.get().contacts.all()) == [contact]

    def test_it_needs_the_right(self, staff: Callable[..., Client], contact: Contact, sms: Application) -> None:
        address = reverse("admin:messaging_contact_send", args=[contact.pk])

        assert staff("view_contact").get(address).status_code == 403

    @pytest.mark.parametrize("given", ['"><script>', "x" * 500, "9" * 500, "", "+91 98765 43210; drop"])
    def test_what_is_no_number_fills_nothing_in(self, admin_client: Client, phone: SipPhone, given: str) -> None:
        form = admin_client.get(reverse("admin:voice_sipcall_add"), {"callee": given}).context["form"]

        assert not form["callee"].value()


@pytest.mark.parametrize(
    ("state", "is_listed"),
    [("draft", False), ("launched", True), ("held", True), ("unknown", True), ("calling", True), ("finished", False)],
)
def test_a_group_call_that_waits_or_runs_is_on_the_timeline(
    admin_client: Client, application: Application, state: str, is_listed: bool
) -> None:
    longer, other = GroupTask.objects.bulk_create(
        GroupTask(name=name, application=application, state=state) for name in ("Spring", "Autumn")
    )
    TaskNumbers.objects.create(task=longer, lines=f"4915112345678\n{NUMBER}")
    TaskNumbers.objects.create(task=other, lines=f"{NUMBER}9\n1{NUMBER}")

    said = admin_client.get(PERSON).content.decode()

    assert (f"/grouptask/{longer.pk}/" in said) is is_listed
    assert f"/grouptask/{other.pk}/" not in said

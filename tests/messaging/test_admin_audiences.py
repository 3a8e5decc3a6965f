"""Pages about who gets it: audiences by condition, and the box for numbers on a campaign's form."""

import pytest
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from messaging.models import Audience, Campaign, Contact, ContactGroup, SuppressionEntry
from messaging.services.audience import audience
from messaging.services.campaigns import drafts
from messaging.services.contacts import audiences, pastes
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db
ADD = "admin:messaging_audience_add"
COUNT = "admin:messaging_audience_count"
PASTE = "admin:messaging_campaign_paste"
ONE, TWO = "919876500001", "919876500002"


@pytest.fixture
def looking(client: Client, django_user_model: type) -> Client:
    """A viewer, who sees no whole numbers."""
    from django.contrib.auth.models import Group, User

    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(viewer)
    return client


def test_an_audience_is_saved_by_its_form(admin_client: Client, group: ContactGroup) -> None:
    admin_client.post(reverse(ADD), {"name": "India", "condition": 'country = in and group "customers"'})

    made = Audience.objects.get()
    assert list(made.named_groups.all()) == [group]
    assert made.created_by is not None
    assert "country = in" in admin_client.get(reverse("admin:messaging_audience_changelist")).content.decode()


@pytest.mark.parametrize(("condition", "says"), [("country = Narnia", "At character 11"), ("group X", "no group “X”")])
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(admin_client: Client, condition: str, says: str) -> None:
    page = admin_client.post(reverse(ADD), {"name": "India", "condition": condition}).content.decode()

    assert says in page
    assert condition in page
    assert not Audience.objects.exists()


def test_an_edit_is_compared_with_what_another_has_saved(admin_client: Client, group: ContactGroup) -> None:
    made = audiences.create(name="India", condition="country = IN")
    page = reverse("admin:messaging_audience_change", args=[made.pk])
    seen = admin_client.get(page).context["adminform"].form.seen_token
    Audience.objects.update(condition="country = BD")

    said = admin_client.post(page, {"name": "India", "condition": "country = GB", "_seen": seen}).content.decode()

    assert "country = BD" in said
    assert Audience.objects.get().condition == "country = BD"


def test_it_is_counted_while_it_is_written_and_shows_the_first(admin_client: Client, group: ContactGroup) -> None:
    add_contacts(group, 25)
    Contact.objects.create(number="4915123456789", country="DE")

    told = admin_client.post(reverse(COUNT), {"condition": "country = IN"}).json()

    assert (told["contacts"], told["is_done"]) == (25, True)
    assert len(told["people"]) == 20


def test_a_count_goes_on_where_it_stood(admin_client: Client, group: ContactGroup) -> None:
    contacts = add_contacts(group, 5)

    told = admin_client.post(
        reverse(COUNT), {"condition": "country = IN", "after": contacts[2].pk, "contacts": 3}
    ).json()

    assert told["contacts"] == 5
    assert told["people"] == []


def test_numbers_are_masked_in_the_preview(looking: Client, group: ContactGroup) -> None:
    add_contacts(group, 1)

    told = looking.post(reverse(COUNT), {"condition": "country = IN"}).json()

    assert told["contacts"] == 1
    assert "919876500000" not in str(told)


def test_a_condition_that_cannot_be_read_is_one_sentence(admin_client: Client) -> None:
    assert "At character 1" in admin_client.post(reverse(COUNT), {"condition": "hello"}).json()["problem"]


def test_one_in_use_is_not_deleted_and_the_page_names_the_campaign(
    admin_client: Client, application: Application
) -> None:
    made = audiences.create(name="India", condition="country = IN")
    drafts.create(name="Autumn", application=application, sender_id="", text="Hi", audiences=[made])

    page = admin_client.post(reverse("admin:messaging_audience_delete", args=[made.pk]), {"post": "yes"})

    assert "Autumn" in page.content.decode()
    assert Audience.objects.exists()


# The campaign's form


def filled(application: Application, **more: object) -> dict[str, object]:
    return {"name": "Autumn", "application": application.pk, "sender_id": "", "text": "Hi", **more}


def test_numbers_in_the_form_are_kept_without_a_script(admin_client: Client, application: Application) -> None:
    admin_client.post(reverse("admin:messaging_campaign_add"), filled(application, numbers=f"{ONE}\n{TWO}\n{ONE}"))

    paste = Campaign.objects.get().paste
    assert paste is not None
    assert (paste.numbers, paste.duplicates) == (2, 1)


def test_a_paste_without_a_number_is_said(admin_client: Client, application: Application) -> None:
    page = admin_client.post(reverse("admin:messaging_campaign_add"), filled(application, numbers="hello"))

    assert "no valid number" in page.content.decode()
    assert not Campaign.objects.exists()


def test_lines_go_up_in_pieces_and_the_form_names_the_paste(admin_client: Client, application: Application) -> None:
    SuppressionEntry.objects.create(number=TWO, channel="sms")
    first = admin_client.post(reverse(PASTE), {"text": f"{ONE}\nhello", "after": 0, "channel": "sms"}).json()
    rest = {"text": f"{TWO}\n{ONE}", "after": 2, "paste": first["paste"], "last": "yes", "channel": "sms"}

    told = admin_client.post(reverse(PASTE), rest).json()
    admin_client.post(reverse("admin:messaging_campaign_add"), filled(application, pasted=told["paste"]))

    figures = {name: told[name] for name in ("lines", "numbers", "duplicates", "invalid", "suppressed")}
    assert figures == {"lines": 4, "numbers": 2, "duplicates": 1, "invalid": 1, "suppressed": 1}
    assert told["told"][0].startswith("Line 2: “hello”")
    paste = Campaign.objects.get().paste
    assert paste is not None
    assert paste.numbers == 2


def test_nobody_takes_a_paste_whose_name_was_made_up(admin_client: Client, application: Application) -> None:
    paste = pastes.from_lines([ONE])

    admin_client.post(reverse("admin:messaging_campaign_add"), filled(application, pasted=f"{paste.pk}:guessed"))

    assert Campaign.objects.get().paste is None


@pytest.mark.parametrize(("given", "is_kept"), [({}, True), ({"forget_pasted": "on"}, False)])
def test_an_edit_keeps_the_paste_until_it_is_taken_out(
    admin_client: Client, application: Application, given: dict[str, str], is_kept: bool
) -> None:
    campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", paste=pastes.from_lines([ONE]))
    page = reverse("admin:messaging_campaign_change", args=[campaign.pk])
    form = admin_client.get(page).context["adminform"].form
    assert "are kept: 1." in str(form.fields["numbers"].help_text)

    admin_client.post(page, filled(application, pasted=form.initial["pasted"], _seen=form.seen_token, **given))

    campaign.refresh_from_db()
    assert (campaign.paste is not None) is is_kept


def test_pages_say_by_which_rule_it_goes(admin_client: Client, application: Application, group: ContactGroup) -> None:
    add_contacts(group, 2)
    made = audiences.create(name="India", condition="country = IN")
    paste = pastes.from_lines([Contact.objects.all()[0].number, "4915123456789"])
    campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", audiences=[made], paste=paste)

    before = admin_client.get(reverse("admin:messaging_campaign_review", args=[campaign.pk])).content.decode()
    audience.begin(campaign)
    Campaign.objects.update(state="running")
    made.condition = "country = BD"
    audiences.save(made)
    after = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

    assert "1 merged: there twice" in before
    assert all("country = IN" in page and "country = BD" not in page for page in (before, after))

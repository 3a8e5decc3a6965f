"""Pages about who gets it: audiences by condition, and the box for numbers on a campaign's form."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core import signing
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from messaging.admin.audience import audience_builder
from messaging.admin.composing.pasted_numbers import signed
from messaging.models import Audience, Campaign, Contact, ContactGroup, PastedNumber, SuppressionEntry
from messaging.services.audience import audience
from messaging.services.campaigns import drafts
from messaging.services.contacts import pastes
from messaging.services.saved_audiences import audiences
from messaging.services.saved_audiences import looks as audience_looks
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db
ADD = "admin:messaging_audience_add"
LOOK, CONVERT = "admin:messaging_audience_look", "admin:messaging_audience_convert"
OFFERS = "admin:messaging_audience_offers"
PASTE = "admin:messaging_campaign_paste"
ONE, TWO = "919876500001", "919876500002"


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


def test_a_group_that_no_list_shows_is_not_named(admin_client: Client) -> None:
    ContactGroup.objects.create(name="Failed in Spring", is_ad_hoc=True)

    page = admin_client.post(reverse(ADD), {"name": "A", "condition": 'group "Failed in Spring"'}).content.decode()

    assert "There is no group “Failed in Spring”" in page
    assert not Audience.objects.exists()


def test_an_edited_name_leaves_the_group_that_was_meant(admin_client: Client, group: ContactGroup) -> None:
    made = audiences.create(name="A", condition='group "customers"')
    page = reverse("admin:messaging_audience_change", args=[made.pk])
    rename = reverse("admin:messaging_contactgroup_change", args=[group.pk])
    admin_client.post(rename, {"name": "Old customers", "description": ""})
    ContactGroup.objects.create(name="customers")
    shown = admin_client.get(page).context["adminform"].form

    assert shown.initial["condition"] == 'group "Old customers"'
    sent = {"name": "B", "condition": shown.initial["condition"], "_seen": shown.seen_token}
    assert admin_client.post(page, sent).status_code == 302
    assert list(Audience.objects.get(name="B").named_groups.all()) == [group]


def clicked(*rows: dict[str, object], is_any: bool = False) -> dict[str, str]:
    return {"by_clicks": json.dumps({"rows": rows, "is_any": is_any})}


INDIA = {"field": "country", "compares": "one_of", "values": ["in"]}
NEW = {"field": "country", "compares": "one_of", "unit": "day"}


def test_rows_that_come_without_a_text_are_the_condition(admin_client: Client) -> None:
    page = reverse("admin:messaging_audience_add")

    admin_client.post(page, {"name": "India", "condition": "", **clicked(INDIA)})
    admin_client.post(page, {"name": "Bangladesh", "condition": "country = BD", **clicked(INDIA)})

    assert Audience.objects.get(name="India").condition == "country = IN"
    assert Audience.objects.get(name="Bangladesh").condition == "country = BD"


def test_rows_that_say_no_condition_are_drawn_again(admin_client: Client) -> None:
    nameless = {"field": "attribute", "compares": "one_of", "values": ["Pune"]}
    sent = {"name": "Pune", "condition": "", **clicked(INDIA, nameless, {"field": "nonsense"}, is_any=True)}

    context = admin_client.post(reverse("admin:messaging_audience_add"), sent).context

    assert not Audience.objects.exists()
    shown = context["shown_rows"]
    assert shown["is_any"]
    assert [(row["field"], row["values"]) for row in shown["rows"]] == [("country", ["in"]), ("attribute", ["Pune"])]


def test_beside_it_stand_the_count_the_suppressed_the_countries_and_the_first(
    admin_client: Client, group: ContactGroup
) -> None:
    contacts = add_contacts(group, 12)
    Contact.objects.create(number="4915123456789", country="DE")
    SuppressionEntry.objects.create(number=contacts[0].number, channel="sms", reason="opt_out")

    shown = admin_client.post(reverse(LOOK), {"condition": "country = IN or country = DE"}).context

    assert (shown["look"].contacts, shown["look"].suppressed, shown["look"].is_done) == (13, 1, True)
    assert shown["countries"] == [("India (IN)", 12), ("Germany (DE)", 1)]
    assert len(shown["people"]) == 10


def test_a_look_goes_on_where_it_stood_and_begins_anew_for_another_condition(
    admin_client: Client, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_contacts(group, 5)
    monkeypatch.setattr(audiences, "STRETCH", 3)
    look = audience_looks.go_on(audiences.read("country = IN"), seconds=0)
    told = signing.dumps(look.as_json(), salt=audience_builder.SALT)

    assert not look.is_done
    answer = admin_client.post(reverse(LOOK), {"condition": "country = IN", "_told": told}).context["look"]
    other = admin_client.post(reverse(LOOK), {"condition": "country = BD", "_told": told}).context["look"]
    forged = admin_client.post(reverse(LOOK), {"condition": "country = IN", "_told": "forged"}).context["look"]

    assert (answer.contacts, len(answer.first()), other.contacts, forged.contacts) == (5, 5, 0, 5)


def test_how_far_a_look_is_never_falls(group: ContactGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contacts that come while it is counted are looked at by the next."""
    add_contacts(group, 5)
    monkeypatch.setattr(audiences, "STRETCH", 3)
    look = audience_looks.go_on(audiences.read("country = IN"), seconds=0)
    add_contacts(group, 5, first=919876600000)

    on = audience_looks.go_on(audiences.read("country = IN"), look)
    after = audience_looks.go_on(audiences.read("country = IN"), on)

    assert (on.end, on.is_done, on.contacts) == (look.end, True, 5)
    assert after.contacts == 10


def test_numbers_are_masked_in_the_preview(client: Client, group: ContactGroup) -> None:
    add_contacts(group, 1)
    client.force_login(writer("view_contact", "add_audience"))

    shown = client.post(reverse(LOOK), {"condition": "country = IN"})

    assert shown.context["look"].contacts == 1
    assert "919876500000" not in shown.content.decode()


@pytest.mark.parametrize("rights", [("add_audience",), ("view_contact", "view_audience"), ("change_audience",)])
@pytest.mark.parametrize("view", ["look", "convert", "offers"])
def test_only_who_may_write_audiences_and_see_contacts_is_answered(
    client: Client, rights: tuple[str, ...], view: str
) -> None:
    client.force_login(writer(*rights))

    assert client.post(reverse(f"admin:messaging_audience_{view}")).status_code == 403


def test_who_sees_no_contacts_writes_text_and_is_told_nothing_of_them(client: Client, group: ContactGroup) -> None:
    client.force_login(writer("view_audience", "add_audience"))

    page = client.get(reverse(ADD)).content.decode()

    assert 'name="condition"' in page
    assert "audience.js" not in page


def writer(*rights: str) -> User:
    found = User.objects.create_user("writer", is_staff=True)
    found.user_permissions.set(Permission.objects.filter(codename__in=rights, content_type__app_label="messaging"))
    return found


def test_a_condition_that_cannot_be_read_is_one_sentence(admin_client: Client) -> None:
    assert "At character 1" in admin_client.post(reverse(LOOK), {"condition": "hello"}).context["asked"].problem


def test_what_is_wrong_is_said_of_each_row(admin_client: Client, group: ContactGroup) -> None:
    nobody = {"field": "group", "compares": "one_of", "values": ["Customer"]}
    empty = {"field": "added", "compares": "since", "values": [""]}

    shown = admin_client.post(reverse(LOOK), clicked(INDIA, nobody, empty))

    assert shown.context["problems"] == {1: "There is no group “Customer”. Is “customers” meant?", 2: "Choose a day."}
    assert "look" not in shown.context


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (clicked(INDIA), {"text": "country = IN"}),
        ({**clicked(INDIA), "condition": "country in ( in )"}, {"text": "country in ( in )"}),
        (clicked(INDIA, {**INDIA, "is_not": True}, is_any=True), {"text": "country = IN or country != IN"}),
        (clicked(), {"text": ""}),
        (clicked(NEW), {"text": ""}),
        (clicked(INDIA, NEW), {"problems": {"1": "Choose or write a value, or take “is set”."}}),
        (clicked(INDIA, {"field": "group"}), {"problems": {"1": "Choose a group."}}),
        ({"by_clicks": "nonsense"}, {"problems": {"0": "Choose what the row is about."}}),
        ({"by_clicks": "[1]"}, {"problems": {"0": "Choose what the row is about."}}),
    ],
)
def test_rows_become_text(admin_client: Client, given: dict[str, str], told: dict[str, object]) -> None:
    assert admin_client.post(reverse(CONVERT), given).json() == told


@pytest.mark.parametrize(
    "said",
    [
        '{"rows": [{"field": "attribute", "compares": "one_of", "name": "a\\u0000b", "values": ["x"]}]}',
        '{"rows": [{"field": "attribute", "compares": "one_of", "name": "city", "values": ["\\ud83d"]}]}',
        '{"rows": [{"field": "group", "compares": "one_of", "values": ["\\ud83d"]}]}',
        "[" * 200_000,
    ],
    ids=["nul", "half a character", "half a name", "deep"],
)
@pytest.mark.parametrize("page", [LOOK, CONVERT])
def test_what_no_database_takes_is_answered_all_the_same(admin_client: Client, page: str, said: str) -> None:
    assert admin_client.post(reverse(page), {"by_clicks": said}).status_code == 200


def test_a_new_row_is_no_mistake_before_it_is_sent(admin_client: Client, group: ContactGroup) -> None:
    add_contacts(group, 2)

    shown = admin_client.post(reverse(LOOK), clicked(INDIA, NEW)).context
    alone = admin_client.post(reverse(LOOK), clicked(NEW)).context

    assert (shown["look"].contacts, shown["problems"]) == (2, {})
    assert "look" not in alone
    assert not alone["asked"].problem


def test_too_many_rows_are_refused(admin_client: Client) -> None:
    many = clicked(*[INDIA] * 61)

    assert "At most 60 rows" in admin_client.post(reverse(CONVERT), many).json()["problem"]
    assert "At most 60 rows" in admin_client.post(reverse(LOOK), many).context["asked"].problem


def test_text_becomes_rows_or_says_why_not(admin_client: Client, application: Application) -> None:
    campaign = drafts.create(name="Autumn", application=application, sender_id="", text="Hi")
    text = f"not in campaign {campaign.pk} and country = IN"

    rows = admin_client.post(reverse(CONVERT), {"condition": text}).json()
    nested = admin_client.post(reverse(CONVERT), {"condition": "(country = IN or language = en) and added > 1 day ago"})

    assert [(row["field"], row["is_not"]) for row in rows["rows"]] == [("campaign", True), ("country", False)]
    assert rows["called"] == {
        "campaign": {str(campaign.pk): f"Autumn ({campaign.pk})"},
        "country": {"IN": "India (IN)"},
    }
    assert "rows cannot say" in nested.json()["problem"]


def test_what_there_is_is_offered(admin_client: Client, group: ContactGroup, application: Application) -> None:
    add_contacts(group, 2)
    Contact.objects.update(attributes={"city": "Pune"}, language="EN")
    campaign = drafts.create(name="Autumn", application=application, sender_id="", text="Hi")

    def offered(about: str, **asked: str) -> list[list[str]]:
        found: list[list[str]] = admin_client.get(reverse(OFFERS), {"about": about, **asked}).json()["offers"]
        return found

    assert offered("country") == [["IN", "India (IN)"]]
    assert offered("language") == [["en", "en"]]
    assert offered("attribute") == [["city", "city"]]
    assert offered("value", name="city") == [["Pune", "Pune"]]
    assert offered("group", q="CUST") == [["customers", "customers"]]
    assert offered("campaign", q=str(campaign.pk)) == offered("campaign", q="aut")
    assert offered("campaign", q="spring") == offered("nothing") == []


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


def test_a_header_that_begins_with_nothing_keeps_its_columns(admin_client: Client, application: Application) -> None:
    numbers = f"\taccount\tphone\n1\t4915112345678\t{ONE}"
    admin_client.post(reverse("admin:messaging_campaign_add"), filled(application, numbers=numbers))

    assert [row.number for row in PastedNumber.objects.all()] == [ONE]


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


def test_each_piece_is_read_under_the_header_of_the_first(admin_client: Client) -> None:
    head = f"account,phone\n4915112345678,{ONE}"
    first = admin_client.post(reverse(PASTE), {"text": head, "head": head, "after": 0}).json()
    rest = {"text": f"4915112345678,{TWO}", "head": head, "after": 2, "paste": first["paste"], "last": "yes"}

    told = admin_client.post(reverse(PASTE), rest).json()

    assert (told["numbers"], told["invalid"]) == (2, 0)
    assert "“phone”" in told["told"][0]
    assert set(PastedNumber.objects.values_list("number", flat=True)) == {ONE, TWO}


def test_nobody_takes_a_paste_whose_name_was_made_up(admin_client: Client, application: Application) -> None:
    paste = pastes.from_lines([ONE])

    admin_client.post(reverse("admin:messaging_campaign_add"), filled(application, pasted=f"{paste.pk}:guessed"))

    assert not Campaign.objects.exists()


def test_a_paste_that_is_not_kept_any_more_is_missed_once(admin_client: Client, application: Application) -> None:
    """Without a word the draft would go to its groups alone."""
    paste = pastes.from_lines([ONE])
    said = signed(paste)
    paste.delete()
    group = ContactGroup.objects.create(name="customers")
    add = reverse("admin:messaging_campaign_add")

    answer = admin_client.post(add, filled(application, pasted=said, groups=[group.pk]))

    assert answer.context["adminform"].form.errors["numbers"] == [
        "The numbers pasted here are not kept any more. Paste them again."
    ]
    assert not Campaign.objects.exists()
    assert answer.context["adminform"].form["pasted"].value() == ""


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


def test_a_condition_that_nobody_filled_in_is_named(admin_client: Client) -> None:
    page = admin_client.post(reverse(ADD), {"name": "India", "condition": ""}).content.decode()

    assert "Fill in at least one condition." in page

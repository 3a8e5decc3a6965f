"""Numbers are masked for those who may not see them, in lists, pages, titles and files; each reveal is recorded."""

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.http import StreamingHttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from laaffic_console.api import documents as api
from laaffic_console.api.contacts import documents as api_contacts
from laaffic_console.api.email import documents as api_email
from laaffic_console.api.handling.problems import handled
from laaffic_console.audit.models import AuditEntry
from laaffic_console.dashboard.people import roles
from laaffic_console.exporting import kinds
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit.audit import acts
from laaffic_console.kit.files import exports
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import own_page
from laaffic_console.kit.registers.search_kinds import Query
from laaffic_console.kit.words.not_now import NotNow
from messaging.files.contact_headers import attribute_header
from messaging.models import (
    Audience,
    Batch,
    Campaign,
    Contact,
    EmailMessage,
    EmailTally,
    Message,
    Submission,
    SuppressionEntry,
)
from messaging.registered import findable
from messaging.registered.export_kinds import RECIPIENTS
from messaging.services import steps
from messaging.services.saved_audiences import audiences
from messaging.services.saved_audiences import offers as audience_offers
from tests.dashboard import doors
from voice.models import CallRecord, GroupTask

pytestmark = pytest.mark.django_db
NUMBER = "447700900123"
ADDRESS = "carla@example.org"
BLIND = acts.Actor(1, "asha", sees_numbers=False)
# Pages of rows with people's numbers; the numbers that an account owns are no person's.
MASKED = [
    "messaging.contact",
    "messaging.message",
    "messaging.reply",
    "messaging.suppressionentry",
    "messaging.emailmessage",
    "voice.callrecord",
    "voice.sipcall",
    "numbers.binding",
    "numbers.bindingrequest",
    "gateway.orphanreport",
]


EXPORTED = [label for label in MASKED if label not in ("numbers.bindingrequest", "gateway.orphanreport")]


@pytest.fixture
def viewer(client: Client) -> User:
    user = User.objects.create_user("asha", is_staff=True)
    user.groups.add(Group.objects.get(name=roles.VIEWER))
    client.force_login(user)
    return user


def may_read_pushes(user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="read_pushedbody"))


@pytest.mark.parametrize(
    ("whole", "masked"),
    [
        (NUMBER, "4477•••••123"),
        ("asha.rao@example.com", "a•••@example.com"),
        ("12345678901", "123•••••901"),
        ("912345678", "9•••••678"),
        ("91234567", "••••••67"),
        ("9123456", "•••••56"),
        ("912345", "•••••5"),
        ("1234", "••••"),
        ("1", "•"),
        ("", ""),
    ],
)
def test_how_it_is_masked(whole: str, masked: str) -> None:
    with acts.acting(lambda: BLIND):
        assert masks.masked(whole) == masked
    assert masks.masked(whole) == whole


@pytest.mark.parametrize("label", MASKED)
def test_no_list_and_no_page_shows_a_viewer_a_number(client: Client, viewer: User, label: str) -> None:
    may_read_pushes(viewer)
    row = doors.one(apps.get_model(label), {})
    type(row)._default_manager.filter(pk=row.pk).update(**dict.fromkeys(admin.site._registry[type(row)].masked, NUMBER))
    page = f"admin:{label.replace('.', '_')}"

    for address in (reverse(f"{page}_changelist"), reverse(f"{page}_change", args=[row.pk])):
        shown = client.get(address)
        assert shown.status_code == 200
        assert "4477•••••123" in shown.content.decode()
        assert NUMBER not in shown.content.decode()


@pytest.mark.parametrize("label", MASKED)
def test_every_page_of_a_row_offers_to_show_it(client: Client, viewer: User, label: str) -> None:
    may_read_pushes(viewer)
    row = doors.one(apps.get_model(label), {})

    shown = client.get(reverse(f"admin:{label.replace('.', '_')}_change", args=[row.pk])).content.decode()

    assert reverse(f"admin:{label.replace('.', '_')}_reveal", args=[row.pk]) in shown


def test_the_ledger_says_whom_nobody_sees_masked(client: Client, viewer: User) -> None:
    entry = LedgerEntry.objects.create(
        interface="voice/sendSip", summary={"callee": NUMBER, "account": "7001"}, prepared_at=timezone.now()
    )

    shown = client.get(reverse("admin:gateway_ledgerentry_change", args=[entry.pk])).content.decode()

    assert "4477•••••123" in shown
    assert NUMBER not in shown
    assert "7001" in shown


def test_who_did_what_says_whom_nobody_sees_masked(client: Client, viewer: User) -> None:
    viewer.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    changes = [["Number", NUMBER, "447700900124"], ["Email", "asha@example.com", ""], ["Pace", "100", "2026-11-28"]]
    filters = "q=%2B447700900123&email=asha%40example.com"
    entry = AuditEntry.objects.create(
        kind="changed",
        object_kind="messaging.contact",
        object_id="12345678",
        object_label=f"{NUMBER} Asha",
        summary={"changes": changes, "filters": filters, "why": f"rang from +{NUMBER}"},
    )
    pages = [
        reverse("admin:audit_auditentry_changelist"),
        reverse("admin:audit_auditentry_change", args=[entry.pk]),
    ]

    for page in pages:
        shown = client.get(page).content.decode()
        assert "4477•••••123 Asha" in shown
        assert [one for one in (NUMBER, "447700900124", "asha@", "asha%40") if one in shown] == []
    assert "2026-11-28" in shown
    viewer.groups.add(Group.objects.get(name=roles.OPERATOR))
    whole = client.get(pages[1]).content.decode()
    assert [one for one in (NUMBER, "447700900124", "asha@", "asha%40") if one not in whole] == []


def test_what_laaffic_and_people_write_beside_a_number_is_masked_too(client: Client, viewer: User) -> None:
    made: dict[str, Any] = {}
    kinds_of_rows = (EmailMessage, CallRecord, SuppressionEntry, GroupTask)
    mail, record, suppressed, task = (doors.one(kind, made) for kind in kinds_of_rows)
    EmailMessage.objects.filter(pk=mail.pk).update(remark=f"mailbox {ADDRESS} unavailable")
    CallRecord.objects.filter(pk=record.pk).update(called_info=f"crm:{NUMBER}")
    SuppressionEntry.objects.filter(pk=suppressed.pk).update(note=f"see {NUMBER}")
    campaign = mail.campaign
    for row in (campaign, task):
        type(row).objects.filter(pk=row.pk).update(state="finished")
    EmailTally.objects.create(
        campaign=campaign, submission=Submission.FAILED, delivery=0, reason=f"no mailbox {ADDRESS}", messages=1
    )
    steps.note(campaign, f"The test to {ADDRESS} was submitted", None)
    entry = LedgerEntry.objects.create(
        interface="email/sendEmail",
        about_kind="email campaign",
        about_id=campaign.pk,
        reason=f"no {ADDRESS}",
        prepared_at=timezone.now(),
    )
    task.events.create(text=f"rang {NUMBER}")
    pages = [
        reverse("admin:messaging_emailmessage_changelist"),
        reverse("admin:gateway_ledgerentry_changelist"),
        reverse("admin:messaging_suppressionentry_changelist"),
        *(own_page(row) for row in (mail, record, campaign, entry, task)),
    ]

    for page in pages:
        shown = client.get(page).content.decode()
        assert re.search(r"c•••@example.org|4477•••••123", shown), page
        assert [one for one in (ADDRESS, NUMBER) if one in shown] == [], page
    with acts.acting(lambda: BLIND):
        assert ADDRESS not in str([api_email.recipient(EmailMessage.objects.get(pk=mail.pk)), api.request(entry)])
    for label in ("messaging.emailmessage", "voice.callrecord", "gateway.ledgerentry", "messaging.suppressionentry"):
        told = str(list(masks.masked_columns(kinds.named(label).rows({"query": ""}, viewer))))
        assert [one for one in (ADDRESS, NUMBER) if one in told] == [], label


def test_a_number_among_a_contacts_attributes_is_masked(client: Client, viewer: User) -> None:
    contact = Contact.objects.create(number="447700900999", attributes={"mobile2": NUMBER, "city": "Pune"})
    page = reverse("admin:messaging_contact_change", args=[contact.pk])

    shown = client.get(page).content.decode()
    revealed = client.post(page.replace("change", "reveal")).content.decode()

    assert "4477•••••123" in shown
    assert "Pune" in shown
    assert NUMBER not in shown
    assert NUMBER in revealed


class ConditionTests:
    """An audience whose condition names a number, for people who see numbers masked."""

    @pytest.fixture
    def named(self) -> Audience:
        Contact.objects.create(number="447700900999", attributes={"mobile2": NUMBER})
        return audiences.create(name="A", condition=f'attribute.mobile2 = "{NUMBER}"')

    def test_it_is_shown_masked_and_not_edited(self, client: Client, viewer: User, named: Audience) -> None:
        viewer.user_permissions.add(Permission.objects.get(codename="change_audience"))
        page = reverse("admin:messaging_audience_change", args=[named.pk])

        for address in (page, reverse("admin:messaging_audience_changelist")):
            shown = client.get(address).content.decode()
            assert "4477•••••123" in shown, address
            assert NUMBER not in shown, address
        assert client.post(page, {"name": "B", "condition": "country = IN"}).status_code == 403
        with acts.acting(lambda: BLIND):
            assert api_contacts.audience(named)["condition"] == 'attribute.mobile2 = "4477•••••123"'
            assert NUMBER not in render_to_string("messaging/rules.html", {"rules": [{"condition": named.condition}]})

    def test_one_that_names_none_is_edited_as_ever(self, client: Client, viewer: User) -> None:
        viewer.user_permissions.add(Permission.objects.get(codename="change_audience"))
        made = audiences.create(name="A", condition="country = GB")
        page = reverse("admin:messaging_audience_change", args=[made.pk])

        assert client.post(page, {"name": "B", "condition": "country = IN"}).status_code == 302
        assert Audience.objects.get().condition == "country = IN"

    def test_a_masked_one_is_not_saved(self, named: Audience) -> None:
        with acts.acting(lambda: BLIND):
            with pytest.raises(ValidationError, match="that you see masked"):
                audiences.create(name="B", condition=masks.in_text(named.condition))
            named.name = "B"
            assert audiences.save(named).condition == f'attribute.mobile2 = "{NUMBER}"'


def test_a_name_that_is_a_number_is_masked(client: Client, viewer: User) -> None:
    said = "+44 7700 900123"
    contact = Contact.objects.create(number="447700900999", name=said)
    page = reverse("admin:messaging_contact_change", args=[contact.pk])

    for address in (page, reverse("admin:messaging_contact_changelist")):
        shown = client.get(address).content.decode()
        assert "+4477•••••123" in shown
        assert said not in shown
    assert said in client.post(page.replace("change", "reveal")).content.decode()
    told = str(list(masks.masked_columns(kinds.named("messaging.contact").rows({"query": ""}, viewer))))
    assert ("+4477•••••123" in told, said in told) == (True, False)
    with acts.acting(lambda: BLIND):
        found = findable.people(Query.read("447700900999"), 5)
        assert [one.title for one in found] == ["+4477•••••123"]
        assert api_contacts.contact(contact)["name"] == "+4477•••••123"
        assert str(contact) == "+4477•••••123 (4477•••••999)"


def test_no_number_is_offered_as_the_value_of_an_attribute(client: Client, viewer: User) -> None:
    Contact.objects.create(number="447700900999", attributes={"mobile2": NUMBER})
    Contact.objects.create(number="447700900998", attributes={"mobile2": "none"})

    with acts.acting(lambda: BLIND):
        assert audience_offers.of_values("", "mobile2") == [("none", "none")]
    assert (NUMBER, NUMBER) in audience_offers.of_values("", "mobile2")


def test_an_operator_sees_it_whole(client: Client, viewer: User) -> None:
    contact = Contact.objects.create(number=NUMBER, name="Asha")
    viewer.groups.set([Group.objects.get(name=roles.OPERATOR)])

    assert NUMBER in client.get(reverse("admin:messaging_contact_changelist")).content.decode()
    assert NUMBER in client.get(reverse("admin:messaging_contact_change", args=[contact.pk])).content.decode()


def test_a_whole_number_is_still_found(client: Client, viewer: User) -> None:
    Contact.objects.create(number=NUMBER, name="Asha")

    answer = client.get(reverse("admin:messaging_contact_changelist"), {"q": NUMBER})

    assert [one.name for one in answer.context["cl"].result_list] == ["Asha"]


def test_nobody_edits_what_they_do_not_see(client: Client, viewer: User) -> None:
    contact = Contact.objects.create(number=NUMBER, name="Asha")
    viewer.user_permissions.add(Permission.objects.get(codename="change_contact"))

    answer = client.post(reverse("admin:messaging_contact_change", args=[contact.pk]), {"number": "4477•••••123"})

    assert answer.status_code == 403
    assert Contact.objects.get().number == NUMBER


class RevealingTests:
    @pytest.fixture
    def address(self) -> str:
        contact = Contact.objects.create(number=NUMBER, name="Asha", email="asha@example.com")
        return reverse("admin:messaging_contact_reveal", args=[contact.pk])

    def test_looking_at_the_button_shows_and_records_nothing(self, client: Client, viewer: User, address: str) -> None:
        assert NUMBER not in client.get(address).content.decode()
        assert not AuditEntry.objects.filter(kind="revealed").exists()

    def test_who_shows_it_is_recorded(self, client: Client, viewer: User, address: str) -> None:
        shown = client.post(address, REMOTE_ADDR="203.0.113.7").content.decode()

        entry = AuditEntry.objects.get(kind="revealed")
        assert NUMBER in shown
        assert "asha@example.com" in shown
        assert (entry.person, entry.address, entry.object_kind) == ("asha", "203.0.113.7", "messaging.contact")
        assert entry.object_id == str(Contact.objects.get().pk)

    def test_without_the_right_it_is_refused(self, client: Client, viewer: User, address: str) -> None:
        Group.objects.get(name=roles.VIEWER).permissions.remove(Permission.objects.get(codename="reveal_number"))

        assert client.post(address).status_code == 403
        assert not AuditEntry.objects.filter(kind="revealed").exists()

    def test_what_somebody_may_not_see_they_do_not_reveal(self, client: Client, viewer: User, address: str) -> None:
        Group.objects.get(name=roles.VIEWER).permissions.remove(Permission.objects.get(codename="view_contact"))

        assert client.post(address).status_code == 403


class FileTests:
    ROWS = (["number", "name", "email"], [NUMBER, "Asha", "asha@example.com"], [None, "", ""])

    def written(self, actor: acts.Actor) -> list[list[str]]:
        with acts.acting(lambda: actor):
            answer = exports.answer(iter(self.ROWS), "csv", "contacts")
        return list(csv.reader(io.StringIO(text_of(answer))))

    def test_they_are_masked_although_they_are_written_after_the_request(self) -> None:
        assert self.written(BLIND)[1] == ["4477•••••123", "Asha", "a•••@example.com"]

    @pytest.mark.parametrize("label", EXPORTED)
    def test_no_column_of_a_list_holds_a_whole_number(self, viewer: User, label: str) -> None:
        row = doors.one(apps.get_model(label), {})
        columns = dict.fromkeys(admin.site._registry[type(row)].masked, NUMBER)
        type(row)._default_manager.filter(pk=row.pk).update(**columns)

        whole = list(kinds.named(label).rows({"query": ""}, viewer))

        assert NUMBER in str(whole)
        assert NUMBER not in str(list(masks.masked_columns(whole)))

    def test_the_summaries_of_the_ledger_are_masked_as_on_its_page(self, viewer: User) -> None:
        summary = {"callee": NUMBER, "account": "7001"}
        LedgerEntry.objects.create(interface="voice/sendSip", summary=summary, prepared_at=timezone.now())

        header, row = masks.masked_columns(kinds.named("gateway.ledgerentry").rows({"query": ""}, viewer))

        assert json.loads(row[header.index("summary")]) == {"callee": "4477•••••123", "account": "7001"}

    def test_the_values_of_merge_fields_are_masked_that_are_numbers_or_addresses(self) -> None:
        rows = [["value.number", "value.email", "value.city"], [NUMBER, "asha@example.com", "Pune"]]

        assert list(masks.masked_columns(rows))[1] == ["4477•••••123", "a•••@example.com", "Pune"]

    def test_a_number_that_a_contact_has_as_an_attribute_is_masked(self, viewer: User) -> None:
        said = {
            "mobile2": "+44 7700\u00a0900123",
            "note": "ring 07700-900123",
            "born": "03.04.1985",
            "address": "2 Hill",
        }
        Contact.objects.create(number="447700900999", attributes=said)

        header, row = masks.masked_columns(kinds.named("messaging.contact").rows({"query": ""}, viewer))

        shown = dict(zip(header, row, strict=True))
        assert [shown[attribute_header(name)] for name in said] == [
            "+4477•••••123",
            "ring 077•••••123",
            "03.04.1985",
            "2 Hill",
        ]

    def test_so_is_one_that_a_merge_field_says(self, viewer: User) -> None:
        message = doors.one(Message, {})
        Message.objects.filter(pk=message.pk).update(merge_values={"mobile2": NUMBER})
        Batch.objects.filter(pk=message.batch_id).update(
            first_message_id=message.pk, last_message_id=message.pk, size=1
        )
        Campaign.objects.filter(pk=message.campaign_id).update(text="Is {{mobile2}} still yours?")

        header, row = masks.masked_columns(kinds.named(RECIPIENTS).rows({"campaign": message.campaign_id}, viewer))

        assert row[header.index("value.mobile2")] == "4477•••••123"

    def test_who_may_see_numbers_takes_them_away_whole(self) -> None:
        assert self.written(acts.Actor(1, "ada"))[1] == [NUMBER, "Asha", "asha@example.com"]


def text_of(answer: StreamingHttpResponse) -> str:
    pieces: Iterator[bytes] = iter(answer)  # type: ignore[assignment]
    return b"".join(pieces).decode("utf-8-sig")


def test_after_an_upgrade_everybody_sees_what_they_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    sight = Permission.objects.get(codename="see_numbers")
    own = Group.objects.create(name="Night shift")
    own.permissions.add(Permission.objects.get(codename="view_reply"))
    other = Group.objects.create(name="Book-keepers")
    other.permissions.add(Permission.objects.get(codename="view_balancereading"))
    before = set(Permission.objects.exclude(pk=sight.pk).values_list("pk", flat=True))
    monkeypatch.setattr(roles, "_known", before)

    roles.fill(apps.get_app_config("messaging"), using="default")

    assert set(Group.objects.filter(permissions=sight).values_list("name", flat=True)) == {*roles.ROLES, "Night shift"}


def test_on_a_new_console_viewers_see_masked_numbers() -> None:
    names = Group.objects.filter(permissions__codename="see_numbers").values_list("name", flat=True)

    assert set(names) == {roles.OPERATOR, roles.APPROVER, roles.ADMINISTRATOR}


def test_a_refusal_of_the_api_is_masked_at_its_field_too() -> None:
    why = NotNow({"callee": f"Laaffic refuses {NUMBER}."})
    with acts.acting(lambda: BLIND):
        body = json.dumps(handled(why, {"request": RequestFactory().get("/api/v1/calls"), "view": None}).data)

    assert NUMBER not in body
    assert body.count("4477") == 2


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("call 10.30 - 98765 - 43210", "call 10.30 - 98•••••210"),
        ("98765 - 43210 - 10.30", "98•••••210 - 10.30"),
        ("2024 - 98765 - 43210", "2024 - 98•••••210"),
        ("98.76 - 543210", "98•••••210"),
        ("2012 - 345 - 6789", "201•••••789"),
        ("10.30 - 12.30", "10.30 - 12.30"),
        ("2024 - 2025 - 2026", "2024 - 2025 - 2026"),
        ("order 2024 - 123456", "order 2024 - 123456"),
        ("1234567.89", "1•••••789"),
        ("in campaign 1234567 and number = 919876543210", "in campaign 1234567 and number = 9198•••••210"),
        ("campaign 919876543210", "campaign 9198•••••210"),
        ("campaign 12345678, 2024", "campaign 12345678, 2024"),
        ("campaign 612345678", "campaign 6•••••678"),
        ("campaign 612 345 678", "campaign 6•••••678"),
        ("campaign 555-1234", "campaign •••••34"),
    ],
)
def test_what_looks_like_a_price_or_a_year_hides_no_number_beside_it(said: str, seen: str) -> None:
    assert masks.mask_in_text(said) == seen


@pytest.mark.parametrize("word", ["a" * 50_000, "1a" * 25_000])
def test_a_long_word_takes_no_time(word: str) -> None:
    """Anybody can write one, and it is looked through at each place from which an address could begin."""
    began = time.process_time()

    assert masks.mask_in_text(word) == word
    assert time.process_time() - began < 2

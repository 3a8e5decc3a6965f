"""Lists as exports: the same rows at once and by a worker, for each list of the console that has the buttons."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from laaffic_console.exporting import kinds, lists
from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.exporting.kinds import NotExportable
from laaffic_console.exporting.models import Export
from laaffic_console.exporting.services import keeping, making
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit.files.exporting import Exporting
from messaging.exports import message_exports
from messaging.models import Contact, Message, MessageState, SuppressionEntry
from tests.dashboard import doors

pytestmark = pytest.mark.django_db

LISTS = [model for model, shown in admin.site._registry.items() if isinstance(shown, Exporting)]


@pytest.mark.parametrize("model", LISTS, ids=lists.name_of)
def test_a_worker_reads_each_list_as_its_page_shows_it(admin_user: User, model: Any) -> None:
    made = doors.one(model, {})
    kind = kinds.named(lists.name_of(model))

    header, *rows = kind.rows({"query": ""}, admin_user)

    assert kind.count({"query": ""}, admin_user, 10) == 1
    assert all(len(row) == len(header) for row in rows)
    assert len(rows) >= 1, made


def test_every_button_has_a_kind_and_the_other_way_round() -> None:
    kept = {name for name in kinds._kinds if "." in name}

    assert kept == {lists.name_of(model) for model in LISTS}
    assert len(kept) == 13
    assert isinstance(admin.site.get_model_admin(LedgerEntry), ExportedList)


@pytest.mark.parametrize("model", LISTS, ids=lists.name_of)
def test_each_list_has_its_buttons_in_the_same_place(admin_client: Client, model: Any) -> None:
    """Beside those for columns and filters, and nowhere else."""
    page = admin_client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))

    words = " ".join(page.content.decode().split())
    assert words.count("Export CSV") == 1
    assert re.search(
        r'<div class="c-buttons c-exports">\s*<a class="c-button" href="[^"]*/export/csv/"> Export CSV', words
    )


@pytest.fixture
def contacts(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> list[Contact]:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(making, "AT_ONCE", 1)
    return Contact.objects.bulk_create(
        Contact(number=f"4915123{place}", name=f"Ann {place}", country="DE") for place in range(3)
    )


def test_a_long_list_keeps_its_filters_on_the_way_to_a_worker(admin_client: Client, contacts: list[Contact]) -> None:
    Contact.objects.create(number="919876500001", country="IN")
    address = "/admin/messaging/contact/export/csv/?q=4915123"

    asked = admin_client.get(address).content.decode()
    assert "a worker makes the file" in asked
    assert '<h1 class="c-title">Contacts</h1>' in asked
    admin_client.post(address)
    making.make_next()

    export = Export.objects.get()
    assert (export.state, export.rows, export.parameters) == ("finished", 3, {"query": "q=4915123"})
    assert "919876500001" not in keeping.path_of(export).read_text("utf-8-sig")


def test_filters_that_make_no_sense_any_more_are_said(admin_user: User) -> None:
    kind = kinds.named(lists.name_of(Contact))

    with pytest.raises(NotExportable, match="Filter the list again"):
        kind.count({"query": "nonsense=1"}, admin_user, 10)


def test_chosen_rows_come_alone(admin_client: Client, contacts: list[Contact]) -> None:
    chosen = {"action": "export_chosen_csv", "_selected_action": [contacts[1].pk]}

    answer: Any = admin_client.post("/admin/messaging/contact/", chosen)

    content = b"".join(answer.streaming_content).decode()
    assert "49151231" in content
    assert "49151230" not in content


def test_messages_found_along_the_key_are_those_found_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    first: Any = doors.one(Message, {})
    columns = {"campaign_id": first.campaign_id, "batch_id": first.batch_id, "state": MessageState.DELIVERED}
    for place in range(12):
        Message.objects.create(pk=first.pk + 7 * place + 1, number=f"91{place}", **columns)
    shown = Message.objects.filter(state=MessageState.DELIVERED)
    by_id = [row[0] for row in message_exports.rows(shown)]

    monkeypatch.setattr(message_exports, "FEW", 2)
    monkeypatch.setattr(message_exports, "STRETCH", 10)

    assert [row[0] for row in message_exports.rows(shown)] == by_id
    assert len(by_id) == 13


def test_ids_that_were_left_out_cost_no_queries(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    first: Any = doors.one(Message, {})
    columns = {"campaign_id": first.campaign_id, "batch_id": first.batch_id, "state": MessageState.DELIVERED}
    for place, pk in enumerate((first.pk + 1, first.pk + 2, first.pk + 1_000_000)):  # as a restore leaves them out
        Message.objects.create(pk=pk, number=f"91{place}", **columns)
    monkeypatch.setattr(message_exports, "FEW", 2)
    monkeypatch.setattr(message_exports, "STRETCH", 100)

    with django_assert_max_num_queries(30):
        _header, *rows = message_exports.rows(Message.objects.all())

    assert [row[0] for row in rows] == ["912", "911", "910", first.number]


def test_the_suppression_list_is_for_who_may_export_it(client: Client) -> None:
    SuppressionEntry.objects.create(number="919876500001", note="=1+1")
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_suppressionentry"))
    client.force_login(user)
    address = "/admin/messaging/suppressionentry/"

    assert "Export CSV" not in client.get(address).content.decode()
    assert client.get(f"{address}export/csv/").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="export_suppressionentry"))
    answer: Any = client.get(f"{address}export/csv/")
    assert b",'=1+1," in b"".join(answer.streaming_content)

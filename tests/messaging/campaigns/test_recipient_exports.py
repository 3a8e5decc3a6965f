"""A campaign's recipients as a file: every state in the contract's word, exact costs, and what scripts rely on."""

import csv
import datetime as dt
import io
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.exporting.models import Export
from laaffic_console.exporting.services import making
from laaffic_console.gateway.models import Application
from messaging.exports import recipient_exports
from messaging.models import (
    Batch,
    BatchAnswer,
    BatchState,
    Campaign,
    CampaignState,
    Contact,
    EarlierAttempt,
    Message,
    MessageState,
)

pytestmark = pytest.mark.django_db

CONTRACT = ["number", "name", "state", "reason", "segments", "billed_segments", "cost", "currency"]
CONTRACT += ["accepted_at", "reported_at"]
AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
CLAIMED_AT = AT - dt.timedelta(minutes=1)


def add_batch(campaign: Campaign, rows: list[dict[str, Any]], state: str = BatchState.SETTLED) -> Batch:
    first = (Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    batch = Batch.objects.create(
        campaign=campaign,
        first_message_id=first,
        last_message_id=first + len(rows) - 1,
        size=len(rows),
        state=state,
        claimed_at=CLAIMED_AT,
    )
    for place, row in enumerate(rows):
        Message.objects.create(pk=first + place, campaign=campaign, batch=batch, **row)
    return batch


def add_campaign(application: Application, text: str = "Hello") -> Campaign:
    return Campaign.objects.create(
        name="=Spring/sale", application=application, text=text, state=CampaignState.FINISHED, launched_at=AT
    )


@pytest.fixture
def campaign(application: Application) -> Campaign:
    campaign = add_campaign(application, "Hello {{name|you}}, {{city}}")
    ann = Contact.objects.create(number="919876500001", name="=cmd|' /C calc'!A0", country="IN")
    values = {"name": "Ann", "city": "Pune"}
    delivered = {"state": MessageState.DELIVERED, "settled_at": AT, "reported_at": AT, "gateway_id": "00071"}
    paid = {"billed_segments": 2, "pay_micros": 12_500, "currency": "USD", "segments": 2, "evidence": "push"}
    first = add_batch(
        campaign,
        [
            {"number": ann.number, "contact_id": ann.pk, "merge_values": values, **delivered, **paid},
            {"number": "919876500002", "state": MessageState.REJECTED, "reason": "-4 bad content", "settled_at": AT},
            {"number": "919876500003", "merge_values": {"name": None, "city": "x" * 200}},
        ],
    )
    last = first.last_message_id
    BatchAnswer.objects.create(batch=first, settled_at=AT, accepted=f'[[{last}], ["0009"], [2]]')
    claimed = [
        {"number": "919876500004"},
        {"number": "919876500005", "state": MessageState.UNKNOWN, "attempt": 2, "evidence": "the answer was lost"},
    ]
    second = add_batch(campaign, claimed, BatchState.CLAIMED)
    EarlierAttempt.objects.create(
        message_id=second.last_message_id, attempt=1, pay_micros=3_000_000, currency="USD", state=MessageState.DELIVERED
    )
    Campaign.objects.filter(pk=campaign.pk).update(total=5)
    campaign.refresh_from_db()
    return campaign


def by_number(campaign: Campaign, **options: bool) -> dict[str, dict[str, Any]]:
    header, *rows = recipient_exports.rows(campaign, **options)
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows}


class RowsTests:
    def test_they_begin_with_the_columns_of_the_contract(self, campaign: Campaign) -> None:
        header = next(recipient_exports.rows(campaign))

        assert header[: len(CONTRACT)] == CONTRACT
        assert header[-2:] == ["value.name", "value.city"]

    def test_what_was_delivered_says_what_it_cost_and_when(self, campaign: Campaign) -> None:
        row = by_number(campaign)["919876500001"]

        assert row["state"] == "delivered"
        assert (row["segments"], row["billed_segments"]) == (2, 2)
        assert (row["cost"], row["currency"]) == (Decimal("0.0125"), "USD")
        assert (row["claimed_at"], row["accepted_at"], row["reported_at"]) == (CLAIMED_AT, AT, AT)
        assert (row["value.name"], row["value.city"]) == ("Ann", "Pune")
        assert row["gateway_id"] == "00071"

    def test_an_answer_that_is_not_on_the_message_yet_is_read(self, campaign: Campaign) -> None:
        row = by_number(campaign)["919876500003"]

        assert (row["state"], row["accepted_at"], row["gateway_id"], row["segments"]) == ("accepted", AT, "0009", 2)

    def test_what_was_not_accepted_has_no_time_of_acceptance(self, campaign: Campaign) -> None:
        found = by_number(campaign)

        assert found["919876500002"]["accepted_at"] is None
        assert found["919876500002"]["answered_at"] == AT
        assert found["919876500002"]["reason"] == "-4 bad content"
        assert found["919876500004"]["state"] == "claimed"
        assert found["919876500005"]["state"] == "unknown"

    def test_an_earlier_sending_that_was_billed_stands_beside_the_last(self, campaign: Campaign) -> None:
        row = by_number(campaign)["919876500005"]

        assert row["cost"] is None
        assert (row["earlier_attempts"], row["earlier_cost"], row["earlier_currency"]) == (1, Decimal(3), "USD")

    def test_earlier_sendings_in_several_currencies_are_not_added_to_each_other(self, campaign: Campaign) -> None:
        message = Message.objects.get(campaign=campaign, number="919876500005")
        for attempt, (micros, currency) in enumerate([(20_000, "EUR"), (500_000, "USD"), (None, "")], 5):
            EarlierAttempt.objects.create(message=message, attempt=attempt, pay_micros=micros, currency=currency)

        row = by_number(campaign)["919876500005"]

        assert (row["earlier_attempts"], row["earlier_cost"], row["earlier_currency"]) == (4, "3.5 USD; 0.02 EUR", "")

    def test_without_the_right_to_see_contacts_nothing_is_said_of_people(self, campaign: Campaign) -> None:
        row = by_number(campaign, with_names=False)["919876500001"]

        assert (row["name"], row["value.name"], row["value.city"]) == ("", "", "")

    def test_another_campaign_between_its_batches_is_left_out(self, application: Application) -> None:
        ours, other = add_campaign(application), add_campaign(application)
        for place in range(3):
            for campaign in (ours, other):
                add_batch(campaign, [{"number": f"91987650001{place}"}])

        assert len(list(recipient_exports.rows(ours))) == 1 + 3

    def test_batches_that_lie_together_are_read_together(self, application: Application) -> None:
        campaign = add_campaign(application)
        for place in range(20):
            add_batch(campaign, [{"number": f"9198765000{place:02}"}])

        with CaptureQueriesContext(connection) as queries:
            found = list(recipient_exports.rows(campaign))

        assert len(found) == 21
        assert len(queries) <= 4


class CommandTests:
    def test_csv_and_xlsx_hold_the_same_and_a_spreadsheet_runs_nothing(
        self, campaign: Campaign, tmp_path: Path
    ) -> None:
        text, book = tmp_path / "out.csv", tmp_path / "out.XLSX"

        call_command("campaign", "export", str(campaign.pk), str(text))
        call_command("campaign", "export", str(campaign.pk), str(book))

        rows = list(csv.DictReader(io.StringIO(text.read_text("utf-8-sig"))))
        assert [row["state"] for row in rows] == ["delivered", "rejected", "accepted", "claimed", "unknown"]
        assert rows[0]["name"] == "'=cmd|' /C calc'!A0"
        assert rows[0]["cost"] == "0.0125"
        sheet = openpyxl.load_workbook(book).worksheets[0]
        number, name = sheet["A2"], sheet["B2"]
        assert (number.value, number.data_type) == ("919876500001", "s")
        assert name.data_type == "s"
        assert "/" not in sheet.title
        assert sorted(os.listdir(tmp_path)) == ["out.XLSX", "out.csv"]

    def test_it_is_kept_who_took_what(self, campaign: Campaign, tmp_path: Path) -> None:
        call_command("campaign", "export", str(campaign.pk), str(tmp_path / "out.csv"))

        export = Export.objects.get()
        assert (export.state, export.rows, export.asked_by, export.is_direct) == ("finished", 5, None, True)

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("out.txt", "must end in .csv or .xlsx"),
            ("out", "must end in .csv or .xlsx"),
            ("missing/out.csv", "There is no folder"),
            ("taken.csv", "is a folder"),
        ],
    )
    def test_a_file_that_cannot_be_is_one_sentence(
        self, campaign: Campaign, tmp_path: Path, name: str, said: str
    ) -> None:
        (tmp_path / "taken.csv").mkdir()

        with pytest.raises(CommandError, match=said):
            call_command("campaign", "export", str(campaign.pk), str(tmp_path / name))

        assert os.listdir(tmp_path) == ["taken.csv"]

    def test_an_unknown_campaign_is_one_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="There is no campaign 4711"):
            call_command("campaign", "export", "4711", str(tmp_path / "out.csv"))

        assert os.listdir(tmp_path) == []

    def test_a_full_disk_leaves_the_file_as_it_was(
        self, campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "out.csv"
        path.write_text("what was there")

        def full(fd: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(CommandError, match="no room on the disk"):
            call_command("campaign", "export", str(campaign.pk), str(path))

        assert path.read_text() == "what was there"
        assert os.listdir(tmp_path) == ["out.csv"]


@pytest.fixture
def exporter() -> User:
    user = User.objects.create_user("exporter", is_staff=True)
    wanted = ["view_campaign", "view_message", "export_message"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=wanted))
    return user


class PageTests:
    def test_a_short_one_comes_at_once(self, admin_client: Client, campaign: Campaign) -> None:
        answer: Any = admin_client.get(f"/admin/messaging/campaign/{campaign.pk}/recipients/csv/")

        assert b"".join(answer.streaming_content).count(b"\r\n") == 6
        assert Export.objects.get().rows == 5

    def test_a_long_one_asks_and_is_made_by_a_worker(
        self, client: Client, exporter: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(making, "AT_ONCE", 4)
        client.force_login(exporter)
        address = f"/admin/messaging/campaign/{campaign.pk}/recipients/xlsx/"

        assert "a worker makes the file" in client.get(address).content.decode()
        assert not Export.objects.exists()
        page = client.post(address)["Location"]
        making.make_next()

        export = Export.objects.get()
        assert (export.state, export.rows, export.rows_expected) == ("finished", 5, 5)
        shown = client.get(page).content.decode()
        assert "Download" in shown
        assert export.expires_at is not None
        assert export.expires_at > timezone.now()

    def test_without_the_right_there_is_neither_button_nor_file(
        self, client: Client, exporter: User, campaign: Campaign
    ) -> None:
        exporter.user_permissions.remove(Permission.objects.get(codename="export_message"))
        client.force_login(exporter)
        page = f"/admin/messaging/campaign/{campaign.pk}"

        assert "export-recipients" not in client.get(f"{page}/change/").content.decode()
        assert client.get(f"{page}/recipients/csv/").status_code == 403

"""The pages of calls, phones and records."""

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.laaffic import Source, parse_voice_reports
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Contact
from voice.models import CallRecord, CallTally, SipCall, SipPhone, VoiceSync
from voice.services.records import call_records

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "admin:voice_sipcall_add"


def kept(count: int, **changed: Any) -> None:
    now = int(timezone.now().timestamp() * 1000)
    rows = [
        {"voiceId": f"v{n}", "type": 3, "callee": str(919876500000 + n), "callTime": now, "terminationCode": "0"}
        | {"callStatus": 50 if n % 2 else 20, "callDuration": 10 * (n % 2), "cost": "0.02", "feedbackValue": "1"}
        | changed
        for n in range(count)
    ]
    call_records.take(parse_voice_reports(rows).calls, Source.VOICE_PUSH)


def text_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode("utf-8-sig")


class ExportTests:
    def test_calls_from_sip_phones_are_taken_away(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client
    ) -> None:
        contact = Contact.objects.create(number="919876500000", name="Ann")
        admin_client.post(reverse(ADD), {"phone": phone.pk, "callee": contact.number})
        SipCall.objects.update(contact=contact)

        answer = admin_client.get(reverse("admin:voice_sipcall_export", args=["csv"]), {"q": "9198765"})
        [row] = csv.DictReader(io.StringIO(text_of(answer)))

        assert (row["number"], row["name"], row["phone"], row["asked_by"]) == (
            *(contact.number, "Ann"),
            *(phone.account, "admin"),
        )
        assert row["request"] == "accepted"
        assert "Export CSV" in admin_client.get(reverse("admin:voice_sipcall_changelist")).content.decode()

    def test_who_may_only_look_takes_none_away(self, client: Client) -> None:
        user = User.objects.create_user("lou", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_sipcall"))
        client.force_login(user)

        assert client.get(reverse("admin:voice_sipcall_export", args=["csv"])).status_code == 403


class CallPageTests:
    def test_a_contact_is_called(self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client) -> None:
        contact = Contact.objects.create(number="919876500000", name="Ann")
        chosen = {"action": "call", "_selected_action": [contact.pk]}
        form = admin_client.post(reverse("admin:messaging_contact_changelist"), chosen)
        assert form["Location"] == f"{reverse(ADD)}?contact={contact.pk}"
        assert "919876500000" in admin_client.get(form["Location"]).content.decode()

        done = admin_client.post(reverse(ADD), {"phone": phone.pk, "callee": "919876500000"}, follow=True)

        assert SipCall.objects.get().contact == contact
        assert "is ringing" in done.content.decode()

    def test_two_contacts_are_not_called_at_once(self, admin_client: Client) -> None:
        chosen = [Contact.objects.create(number=f"91987650000{n}").pk for n in range(2)]
        page = admin_client.post(
            reverse("admin:messaging_contact_changelist"), {"action": "call", "_selected_action": chosen}, follow=True
        )

        assert "Choose one contact" in page.content.decode()

    def test_bad_input_comes_back(self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client) -> None:
        page = admin_client.post(reverse(ADD), {"phone": phone.pk, "callee": "123456", "display_number": "99"})

        assert 'value="123456"' in page.content.decode()
        assert "c-error" in page.content.decode()
        assert not SipCall.objects.exists()

    def test_a_busy_phone_is_explained_and_called_again(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client
    ) -> None:
        sandbox.sandbox.options.busy_phones = ["test_001"]
        page = admin_client.post(reverse(ADD), {"phone": phone.pk, "callee": "+919876500000"}, follow=True)
        assert "not idle" in page.content.decode()
        sandbox.sandbox.options.busy_phones = []

        page = admin_client.post(reverse("admin:voice_sipcall_again", args=[SipCall.objects.get().pk]), follow=True)

        assert "is ringing" in page.content.decode()

    def test_permissions(self, client: Client, phone: SipPhone) -> None:
        user = User.objects.create_user("eve", is_staff=True)
        client.force_login(user)
        names = ("sipcall_changelist", "sipcall_add", "callrecord_changelist", "sipphone_changelist")
        pages = [reverse(f"admin:voice_{name}") for name in names]
        pages.append(reverse("admin:voice_callrecord_export", args=["csv"]))
        assert {client.get(page).status_code for page in pages} == {403}

        user.user_permissions.add(Permission.objects.get(codename="view_sipcall"))
        assert client.get(pages[0]).status_code == 200
        assert client.post(pages[1], {"phone": phone.pk, "callee": "919876500000"}).status_code == 403


class RecordPageTests:
    def test_one_day_is_no_chart(self, admin_client: Client) -> None:
        address = reverse("admin:voice_callrecord_changelist")
        CallTally.objects.create(day=timezone.now().date(), outcome="answered", calls=2, seconds=20)
        assert "c-chart" not in admin_client.get(address).content.decode()

        CallTally.objects.create(
            day=timezone.now().date() - dt.timedelta(days=1), outcome="answered", calls=1, seconds=5
        )
        assert "c-chart" in admin_client.get(address).content.decode()

    def test_the_list_is_shown_filtered_and_exported_alike(self, admin_client: Client) -> None:
        kept(6)
        page = admin_client.get(reverse("admin:voice_callrecord_changelist"), {"outcome": "answered"})
        assert page.status_code == 200
        assert page.context_data["charts"]["rate_now"] == 50.0
        assert page.context_data["charts"]["seconds"] == 10
        assert {row.outcome for row in page.context_data["cl"].result_list} == {"answered"}

        lines = text_of(
            admin_client.get(reverse("admin:voice_callrecord_export", args=["csv"]), {"outcome": "answered"})
        ).splitlines()
        assert len(lines) == 4
        book = admin_client.get(reverse("admin:voice_callrecord_export", args=["xlsx"]), {"q": "919876500002"})
        sheet = openpyxl.load_workbook(io.BytesIO(b"".join(book.streaming_content))).active
        assert [row[2].value for row in sheet.rows] == ["number", "919876500002"]

    def test_filters_and_search(self, admin_client: Client) -> None:
        kept(4)
        CallRecord.objects.filter(voice_id="v1").update(key_pressed="", at=timezone.now() - dt.timedelta(days=9))
        for query, found in (
            ({"key": "any"}, 3),
            ({"days": "7"}, 3),
            ({"recorded": "yes"}, 0),
            ({"q": "+91 98765 00003"}, 1),
            ({"q": "v2"}, 1),
        ):
            shown = admin_client.get(reverse("admin:voice_callrecord_changelist"), query).context_data["cl"]
            assert len(shown.result_list) == found, query

    def test_a_record_has_a_page(self, admin_client: Client) -> None:
        kept(1)
        moment = dt.datetime(2026, 3, 2, 9, 30, 12, tzinfo=dt.UTC)
        CallRecord.objects.update(at=moment, hung_up_at=moment, duration=7, cost=Decimal("0.02"), currency="USD")
        address = reverse("admin:voice_callrecord_change", args=[CallRecord.objects.get().pk])
        page = admin_client.get(address).content.decode()
        assert page.count("2 Mar 2026, 09:30:12") == 2  # a call has little more than a minute
        assert all(said in page for said in ("7 s", "0.02 USD"))
        assert "0.020000" not in page

    def test_synchronising_is_asked_for(self, admin_client: Client, phone: SipPhone) -> None:
        admin_client.post(reverse("admin:voice_callrecord_sync"))
        admin_client.post(reverse("admin:voice_sipphone_sync"))

        assert VoiceSync.objects.exclude(requested_at=None).count() == 3
        assert "test_001" in admin_client.get(reverse("admin:voice_sipphone_changelist")).content.decode()

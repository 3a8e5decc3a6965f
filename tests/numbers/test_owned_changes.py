"""Owned numbers edited at Laaffic: what differs is sent with what is known, and a lost answer ends by the list."""

import datetime as dt
import html
import json
import re
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.laaffic import VoicemailFile
from laaffic_console.laaffic import numbers as wire
from laaffic_console.laaffic.numbers import MAX_VOICEMAIL
from laaffic_console.laaffic.pages import Page
from laaffic_console.sandbox.numbers import NumberInterfaces
from laaffic_console.sandbox.testing import RunningSandbox
from phone_numbers.models import OwnedNumber
from phone_numbers.services import lost_requests, owned_changes, owned_evidence, owned_sync
from tests.messaging.pages import HIDDEN, hidden
from tests.numbers.conftest import long_ago

pytestmark = pytest.mark.django_db(transaction=True)

WAV = b"RIFF" + b"\0" * 100


@pytest.fixture
def number(sandbox: RunningSandbox, application: Application) -> OwnedNumber:
    owned_sync.sync()
    return OwnedNumber.objects.get(number="917860550100")


def at_sandbox(sandbox: RunningSandbox, number: OwnedNumber) -> dict[str, Any]:
    family = next(family for family in sandbox.sandbox.families if isinstance(family, NumberInterfaces))
    return family.edited.get(number.number, {})


def as_a_browser_sends(page: Any) -> dict[str, str]:
    """What the form on the page holds."""
    form = page.context["form"]
    sent = {
        bound.name: bound.field.widget.format_value(bound.value()) for bound in form if bound.name != "voicemail_file"
    }
    filled = {name: (value[0] if isinstance(value, list) else value) or "" for name, value in sent.items()}
    carried = re.findall(r'<input type="hidden" name="(shown|_was)" value="([^"]*)">', page.content.decode())
    return {name: str(value) for name, value in filled.items()} | {k: html.unescape(v) for k, v in carried}


class EditTests:
    def test_what_is_known_is_sent_with_what_is_changed(self, sandbox: RunningSandbox, number: OwnedNumber) -> None:
        entry = owned_changes.edit(
            number, {"remark": " Night line ", "voicemail_seconds": 30}, file=VoicemailFile("hello.wav", WAV)
        )

        assert entry.state == EntryState.ACCEPTED
        assert entry.summary["changed"] == {
            "remark": "Night line",
            "voicemail_seconds": 30,
            "voicemail_file": "hello.wav",
        }
        held = at_sandbox(sandbox, number)
        assert (held["remark"], held["outIp"], held["enableVoicemail"]) == ("Night line", "192.168.10.17", True)
        for read_again in (False, True):
            if read_again:
                owned_sync.sync()
            number.refresh_from_db()
            assert (number.remark, number.voicemail_seconds, number.voicemail_file) == ("Night line", 30, "hello.wav")

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("remark", {"remark": "x" * 51}),
            ("remark", {"remark": "two\nlines"}),
            ("inbound_prefix", {"inbound_prefix": "9" * 33}),
            ("in_addresses", {"in_addresses": "10.0.0.1, nowhere"}),
            ("out_addresses", {"out_addresses": "1.2.3.4," * 8}),
            ("voicemail_seconds", {"voicemail_seconds": 0}),
            ("voicemail_seconds", {"voicemail_seconds": 1000}),
            ("__all__", {"remark": "Support line"}),
            ("__all__", {}),
        ],
    )
    def test_what_is_wrong_never_leaves(self, number: OwnedNumber, field: str, given: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as problem:
            owned_changes.edit(number, given)

        assert list(getattr(problem.value, "error_dict", {"__all__": 1})) == [field]
        assert not LedgerEntry.objects.exists()

    @pytest.mark.parametrize(
        ("file", "said"),
        [
            (VoicemailFile("hello.exe", WAV), "ends with none of"),
            (VoicemailFile("hello.wav", b""), "The file is empty"),
            (VoicemailFile("hello.wav", WAV + bytes(MAX_VOICEMAIL)), "The file is larger than 5 MB"),
            (VoicemailFile("hello.mp3", b"%PDF-1.4 " + bytes(100)), "By its content"),
        ],
    )
    def test_a_file_that_is_none(self, number: OwnedNumber, file: VoicemailFile, said: str) -> None:
        with pytest.raises(ValidationError, match=said) as problem:
            owned_changes.edit(number, {}, file=file)
        assert "voicemail_file" in problem.value.message_dict

    @pytest.mark.parametrize("content", [b"ID3\4" + bytes(40), b"\xff\xfb" + bytes(40), bytes(4) + b"ftypM4A "])
    def test_each_kind_of_recording_is_taken(
        self, sandbox: RunningSandbox, number: OwnedNumber, content: bytes
    ) -> None:
        entry = owned_changes.edit(number, {}, file=VoicemailFile("hello.mp3", content))
        assert entry.state == EntryState.ACCEPTED

    @pytest.mark.parametrize(
        ("fault", "state"), [("bad_gateway_after", EntryState.ACCEPTED), ("bad_gateway_before", EntryState.REFUSED)]
    )
    def test_a_lost_answer_ends_by_the_list(
        self, sandbox: RunningSandbox, number: OwnedNumber, fault: str, state: EntryState
    ) -> None:
        sandbox.set_faults(next_fault=fault, next_calls=1)
        entry = owned_changes.edit(number, {"remark": "Night line"})
        assert entry.state == EntryState.UNKNOWN
        with pytest.raises(ValidationError, match="under way"):
            owned_changes.edit(number, {"remark": "Day line"})

        long_ago()
        owned_sync.sync()

        entry.refresh_from_db()
        assert entry.state == state

    @pytest.mark.parametrize("is_older", [True, False])
    def test_a_page_that_was_read_before_it_does_not_revert_it(
        self, sandbox: RunningSandbox, number: OwnedNumber, is_older: bool
    ) -> None:
        began = timezone.now()
        page = laaffic_client().numbers.query_owned_numbers(current=1, size=50).records
        owned_changes.edit(number, {"remark": "Night line"})
        before = number.remark

        owned_sync.write(page, began if is_older else timezone.now())

        number.refresh_from_db()
        assert number.remark == ("Night line" if is_older else before)
        assert number.last_seen_at >= began

    def test_one_that_is_given_up_while_the_list_is_read_is_proved_by_it(
        self, sandbox: RunningSandbox, number: OwnedNumber
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        entry = owned_changes.edit(number, {"remark": "Night line"})
        began = timezone.now()
        page = laaffic_client().numbers.query_owned_numbers(current=1, size=50).records
        left_at, given_up_at = began - dt.timedelta(minutes=2), began + dt.timedelta(seconds=1)
        LedgerEntry.objects.update(left_at=left_at, settled_at=given_up_at)

        owned_sync.write(page, began)
        owned_evidence.settle(began=began)

        entry.refresh_from_db()
        number.refresh_from_db()
        assert (entry.state, number.remark) == (EntryState.ACCEPTED, "Night line")

    def test_a_number_that_was_changed_since_proves_nothing_before_the_next_list(
        self, sandbox: RunningSandbox, number: OwnedNumber
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        entry = owned_changes.edit(number, {"remark": "Night line"})
        LedgerEntry.objects.update(state=EntryState.ACCEPTED)  # so that the next may leave
        began = timezone.now()
        page = laaffic_client().numbers.query_owned_numbers(current=1, size=50).records
        owned_changes.edit(number, {"inbound_prefix": "9"})
        left_at = began - dt.timedelta(minutes=2)
        LedgerEntry.objects.filter(pk=entry.pk).update(state=EntryState.UNKNOWN, left_at=left_at, settled_at=left_at)

        owned_sync.write(page, began)
        owned_evidence.settle(began=began)
        entry.refresh_from_db()
        assert entry.state == EntryState.UNKNOWN

        owned_sync.sync()
        entry.refresh_from_db()
        assert entry.state != EntryState.UNKNOWN

    @pytest.mark.parametrize("said", [{}, {"remark": {}, "voicemailMaxHangup": "long", "dueDate": "soon"}])
    def test_what_a_row_does_not_say_stays_and_denies_nothing(
        self, sandbox: RunningSandbox, number: OwnedNumber, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]
    ) -> None:
        before = OwnedNumber.objects.values(*owned_sync.COPIED).get(pk=number.pk)
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        entry = owned_changes.edit(number, {"remark": "Night line"})
        long_ago()
        row = wire._owned({"number": number.number, **said})
        page = Page([row], [], 1, 1, 1)
        monkeypatch.setattr(wire.NumbersApi, "query_owned_numbers", lambda *_given, **_more: page)

        owned_sync.sync()

        entry.refresh_from_db()
        kept = OwnedNumber.objects.values(*owned_sync.COPIED).get(pk=number.pk)
        assert (entry.state, kept) == (EntryState.UNKNOWN, before)

    def test_null_says_that_there_is_none(self, number: OwnedNumber) -> None:
        OwnedNumber.objects.update(remark="Night line", voicemail_seconds=60)

        owned_sync.write(
            [wire._owned({"number": number.number, "remark": None, "voicemailMaxHangup": None})], timezone.now()
        )

        number.refresh_from_db()
        assert (number.remark, number.voicemail_seconds) == ("", None)

    def test_a_change_that_a_wrong_clock_dated_ahead_holds_up_no_list(
        self, sandbox: RunningSandbox, number: OwnedNumber
    ) -> None:
        owned_changes.edit(number, {"remark": "Night line"})
        ahead = timezone.now() + dt.timedelta(days=30)
        LedgerEntry.objects.update(left_at=ahead, settled_at=ahead)
        OwnedNumber.objects.update(remark="old")

        owned_sync.sync()

        number.refresh_from_db()
        assert number.remark == "Night line"

    @pytest.mark.parametrize("asks_more", [False, True])
    def test_what_only_a_later_list_shows_was_changed(
        self, sandbox: RunningSandbox, number: OwnedNumber, asks_more: bool
    ) -> None:
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        entry = owned_changes.edit(number, {"remark": "Night line"})
        long_ago()
        owned_sync.sync()
        entry.refresh_from_db()
        assert entry.state == EntryState.REFUSED

        if asks_more:  # the same again, and this time it arrives: the list says nothing of the first
            owned_changes.edit(number, {"remark": "Night line"})
        else:
            family = next(family for family in sandbox.sandbox.families if isinstance(family, NumberInterfaces))
            family.edited[number.number] = {"remark": "Night line"}
        owned_sync.sync()

        entry.refresh_from_db()
        assert entry.state == (EntryState.REFUSED if asks_more else EntryState.ACCEPTED)

    def test_what_is_given_up_while_the_list_is_read_is_judged_by_the_list(
        self, sandbox: RunningSandbox, number: OwnedNumber
    ) -> None:
        """Its process died behind Laaffic's doing it, and the sweep says so while the pages come."""
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        entry = owned_changes.edit(number, {"remark": "Night line"})
        began = timezone.now()
        LedgerEntry.objects.update(left_at=began - dt.timedelta(minutes=2), settled_at=began + dt.timedelta(seconds=1))
        page = laaffic_client().numbers.query_owned_numbers(current=1, size=50).records

        owned_sync.write(page, began)
        owned_evidence.settle(began=began)

        entry.refresh_from_db()
        number.refresh_from_db()
        assert (entry.state, number.remark) == (EntryState.ACCEPTED, "Night line")

    @pytest.mark.parametrize("is_listed", [True, False])
    def test_what_the_list_may_not_show_yet_or_not_at_all_stays_unknown(
        self, sandbox: RunningSandbox, number: OwnedNumber, is_listed: bool
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        entry = owned_changes.edit(number, {"remark": "Night line"})
        began = timezone.now()
        if not is_listed:
            long_ago()
        OwnedNumber.objects.update(last_seen_at=began if is_listed else began - dt.timedelta(hours=1))

        owned_evidence.settle(began=began)

        entry.refresh_from_db()
        assert entry.state == EntryState.UNKNOWN

    @pytest.mark.parametrize("fault", ["bad_gateway_after", "bad_gateway_before"])
    @pytest.mark.parametrize(
        ("name", "given"), [("hello.wav", {}), ("hello.wav", {"remark": "Night line"}), ("other.wav", {})]
    )
    def test_a_lost_upload_is_proved_by_what_was_not_there_before(
        self, sandbox: RunningSandbox, number: OwnedNumber, fault: str, name: str, given: dict[str, Any]
    ) -> None:
        owned_changes.edit(number, {}, file=VoicemailFile("hello.wav", WAV))
        owned_sync.sync()
        sandbox.set_faults(next_fault=fault, next_calls=1)
        entry = owned_changes.edit(number, given, file=VoicemailFile(name, WAV + b"new"))
        long_ago()
        owned_sync.sync()

        entry.refresh_from_db()
        if fault == "bad_gateway_after":
            assert entry.state == EntryState.ACCEPTED
        else:
            is_told = bool(given) or name == "other.wav"
            assert entry.state == (EntryState.REFUSED if is_told else EntryState.UNKNOWN)

    def test_a_name_in_another_encoding_is_sent_as_far_as_it_can_be_read(
        self, sandbox: RunningSandbox, number: OwnedNumber
    ) -> None:
        entry = owned_changes.edit(number, {}, file=VoicemailFile("caf\udce9.wav", WAV))

        number.refresh_from_db()
        assert (entry.state, number.voicemail_file) == (EntryState.ACCEPTED, "caf.wav")

    def test_without_an_id_a_file_of_the_same_name_proves_nothing(
        self, sandbox: RunningSandbox, number: OwnedNumber
    ) -> None:
        owned_changes.edit(number, {}, file=VoicemailFile("hello.wav", WAV))
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        entry = owned_changes.edit(number, {}, file=VoicemailFile("hello.wav", WAV + b"new"))
        long_ago()
        owned_sync.sync()
        owned_sync.sync()

        entry.refresh_from_db()
        assert entry.state == EntryState.UNKNOWN

    def test_one_whose_process_died_is_unknown(self, number: OwnedNumber) -> None:
        owned_changes.edit(number, {"remark": "Night line"})
        LedgerEntry.objects.update(state=EntryState.IN_FLIGHT)
        long_ago()

        assert lost_requests.recover() == 1

    def test_a_number_that_the_account_has_lost_is_not_changed(self, number: OwnedNumber) -> None:
        OwnedNumber.objects.update(gone_at=F("last_seen_at"))
        number.refresh_from_db()

        with pytest.raises(ValidationError, match="does not own this number any more"):
            owned_changes.edit(number, {"remark": "Night line"})

        assert not LedgerEntry.objects.exists()

    def test_any_other_refusal_says_that_nothing_was_changed(
        self, sandbox: RunningSandbox, number: OwnedNumber
    ) -> None:
        sandbox.set_faults(status="-3", status_calls=1)

        with pytest.raises(ValidationError, match=r"[−-]3"):
            owned_changes.edit(number, {"remark": "Night line"})

        number.refresh_from_db()
        assert number.remark != "Night line"

    def test_a_number_that_laaffic_does_not_know(self, number: OwnedNumber) -> None:
        OwnedNumber.objects.filter(pk=number.pk).update(number="999999999999")
        with pytest.raises(ValidationError, match="−24"):
            owned_changes.edit(number, {"remark": "Night line"})


class PageTests:
    def test_it_is_edited(self, sandbox: RunningSandbox, number: OwnedNumber, admin_client: Client) -> None:
        address = reverse("admin:numbers_ownednumber_edit", args=[number.pk])
        assert address in admin_client.get(reverse("admin:numbers_ownednumber_changelist")).content.decode()
        form = hidden(admin_client, address) | {
            "remark": "Night line",
            "app_id": "NumApp1",
            "voicemail": "false",
            "voicemail_seconds": "",
            "in_addresses": "",
            "out_addresses": number.out_addresses,
            "inbound_prefix": "9",
            "voicemail_file": SimpleUploadedFile("hello.wav", WAV),
        }

        page = admin_client.post(address, form, follow=True)

        assert "Laaffic has changed the number" in page.content.decode()
        held = at_sandbox(sandbox, number)
        assert (held["appId"], held["enableVoicemail"], held["inboundPrefix"]) == ("NumApp1", False, "9")
        assert held["voicemailFileName"] == "hello.wav"

    def test_another_changed_it_meanwhile(self, number: OwnedNumber, admin_client: Client) -> None:
        address = reverse("admin:numbers_ownednumber_edit", args=[number.pk])
        form = hidden(admin_client, address) | {"remark": "Mine"}
        OwnedNumber.objects.filter(pk=number.pk).update(remark="Theirs")

        page = admin_client.post(address, form)
        assert "been changed in the meantime" in page.content.decode()
        assert "Theirs" in page.content.decode()
        assert not LedgerEntry.objects.exists()

        admin_client.post(address, dict(HIDDEN.findall(page.content.decode())) | {"remark": "Mine"})
        number.refresh_from_db()
        assert number.remark == "Mine"

    def test_what_was_not_touched_here_takes_what_another_has_given_it(
        self, number: OwnedNumber, admin_client: Client
    ) -> None:
        """Sent once more as the page says, it does not undo their change without a word."""
        address = reverse("admin:numbers_ownednumber_edit", args=[number.pk])
        typed = as_a_browser_sends(admin_client.get(address)) | {"remark": "Mine", "inbound_prefix": "9"}
        OwnedNumber.objects.filter(pk=number.pk).update(
            inbound_prefix="7", in_addresses="10.0.0.9", voicemail=False, voicemail_seconds=77
        )

        page = admin_client.post(address, typed)
        said = html.unescape(page.content.decode())
        assert "Voicemail: now “No”. You had not changed it" in said
        assert "Inbound addresses: now “10.0.0.9”" in said
        assert "Inbound prefix: stored is “7”, yours is “9”." in said

        admin_client.post(address, as_a_browser_sends(page))
        number.refresh_from_db()
        assert (number.remark, number.inbound_prefix, number.in_addresses) == ("Mine", "9", "10.0.0.9")
        assert (number.voicemail, number.voicemail_seconds) == (False, 77)

    @pytest.mark.parametrize("was", ["", "[]", "{", '{"remark": 3}'])
    def test_a_page_that_does_not_tell_what_it_was_filled_from(
        self, number: OwnedNumber, admin_client: Client, was: str
    ) -> None:
        address = reverse("admin:numbers_ownednumber_edit", args=[number.pk])
        page = admin_client.post(address, {"shown": "of another time", "remark": "Mine", "_was": was})
        assert "been changed in the meantime" in page.content.decode()

    def test_who_may(self, number: OwnedNumber, client: Client) -> None:
        user = User.objects.create_user("eve", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_ownednumber", "change_ownednumber"]))
        client.force_login(user)
        address = reverse("admin:numbers_ownednumber_edit", args=[number.pk])

        assert [ask(address).status_code for ask in (client.get, client.post)] == [403, 403]
        assert address not in client.get(reverse("admin:numbers_ownednumber_changelist")).content.decode()


class CommandTests:
    def said(self, *given: str) -> Any:
        out = StringIO()
        call_command("numbers", "owned", *given, "--json", stdout=out)
        return json.loads(out.getvalue())

    def test_shown_and_changed(self, number: OwnedNumber, tmp_path: Path) -> None:
        assert self.said(f"+{number.number}")["remark"] == "Support line"
        file = tmp_path / "hello.wav"
        file.write_bytes(WAV)

        said = self.said(number.number, "--remark", "", "--voicemail", "off", "--voicemail-file", str(file))

        assert (said["remark"], said["voicemail"], said["voicemail_file"]) == ("", False, "hello.wav")
        assert said["state"] == "accepted"

    def test_what_fails_is_said(self, sandbox: RunningSandbox, number: OwnedNumber) -> None:
        with pytest.raises(CommandError, match="Unknown number 123"):
            self.said("123")
        with pytest.raises(CommandError, match="--in-addresses"):
            self.said(number.number, "--in-addresses", "x")
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        with pytest.raises(CommandError, match="sync owned") as problem:
            self.said(number.number, "--remark", "Night line")
        assert problem.value.returncode == 3


def test_what_laaffic_never_told_is_not_sent_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    told = wire._owned({"number": "9186000001", "state": "3", "remark": "desk", "appId": ""})
    owned_sync.write([told], timezone.now() - dt.timedelta(hours=1))
    bodies: list[dict[str, Any]] = []
    client = wire.NumbersApi.__new__(wire.NumbersApi)
    monkeypatch.setattr(wire.NumbersApi, "_post", lambda _self, _path, body: bodies.append(body))
    monkeypatch.setattr(owned_changes, "laaffic_client", lambda: SimpleNamespace(numbers=client))

    owned_changes.edit(OwnedNumber.objects.get(), {"remark": "front desk"})
    owned_changes.edit(OwnedNumber.objects.get(), {"inbound_prefix": "7"})

    assert bodies == [
        {"number": "9186000001", "remark": "front desk", "appId": ""},
        {"number": "9186000001", "remark": "front desk", "appId": "", "inboundPrefix": "7"},
    ]

"""New SIP phones and new passwords: recorded, settled by the list, and a password shown once and kept nowhere."""

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import single_requests
from laaffic_console.gateway.services.work import leases
from laaffic_console.sandbox.testing import RunningSandbox
from laaffic_console.sandbox.voice import VoiceInterfaces
from tests.numbers.conftest import long_ago
from voice.models import SipPhone, VoiceSync
from voice.services.asking import scheduling
from voice.services.calls import sip_calls as calls
from voice.services.phones import changes as phone_changes
from voice.services.phones import sip_phones as phones

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "admin:voice_sipphone_add"


def at_sandbox(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return next(family for family in sandbox.sandbox.families if isinstance(family, VoiceInterfaces)).phones


def password_of(sandbox: RunningSandbox, account: str) -> str:
    return str(next(phone for phone in at_sandbox(sandbox) if phone["account"] == account)["password"])


def everything_stored() -> str:
    """Every text of every table of ours."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.startswith(("gate", "voice"))]
        found = []
        for table in (*tables, "django_session", "django_admin_log"):
            cursor.execute(f"SELECT * FROM {table}")
            found.append(repr(cursor.fetchall()))
    return "".join(found)


class AddTests:
    def test_they_are_in_the_list(self, phone: SipPhone, application: Application) -> None:
        call = phone_changes.add(application=application, group="counter", name="desk", quantity=3)
        phones.sync(application)

        assert call.state == EntryState.ACCEPTED
        assert SipPhone.objects.filter(group_name="counter", name__startswith="desk").count() == 3

    @pytest.mark.parametrize(
        ("field", "changed"),
        [
            ("group", {"group": "abc"}),
            ("name", {"name": "x" * 33}),
            ("name", {"name": "sip-1"}),
            ("quantity", {"quantity": 51}),
            ("quantity", {"quantity": 0}),
            ("display_number", {"display_number": "123456"}),
            ("display_number", {"display_number": "12345678901234"}),
        ],
    )
    def test_what_is_wrong_never_leaves(
        self, phone: SipPhone, application: Application, field: str, changed: dict[str, Any]
    ) -> None:
        with pytest.raises(ValidationError) as problem:
            phone_changes.add(**{"application": application, "group": "counter", "name": "desk"} | changed)

        assert list(problem.value.message_dict) == [field]
        assert not LedgerEntry.objects.exists()

    def test_a_name_that_laaffic_has_is_told(
        self, sandbox: RunningSandbox, phone: SipPhone, application: Application
    ) -> None:
        at_sandbox(sandbox).append(at_sandbox(sandbox)[0] | {"phoneName": "desk", "account": "other"})

        with pytest.raises(ValidationError, match="−20"):
            phone_changes.add(application=application, group="counter", name="desk")

    @pytest.mark.parametrize(
        ("fault", "state"), [("bad_gateway_after", EntryState.ACCEPTED), ("bad_gateway_before", EntryState.REFUSED)]
    )
    def test_a_lost_answer_is_settled_by_the_list(
        self, sandbox: RunningSandbox, phone: SipPhone, application: Application, fault: str, state: EntryState
    ) -> None:
        sandbox.set_faults(next_fault=fault, next_calls=1)
        call = phone_changes.add(application=application, group="counter", name="desk", quantity=2)
        assert call.state == EntryState.UNKNOWN
        with pytest.raises(ValidationError, match="not known yet"):
            phone_changes.add(application=application, group="counter", name="desk")

        long_ago()
        phones.sync(application)

        call.refresh_from_db()
        assert call.state == state

    @pytest.mark.parametrize(("again", "state"), [(False, EntryState.ACCEPTED), (True, EntryState.REFUSED)])
    def test_what_a_list_denied_and_a_later_one_shows_was_done(
        self, sandbox: RunningSandbox, phone: SipPhone, application: Application, again: bool, state: EntryState
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        entry = phone_changes.add(application=application, group="counter", name="desk")
        late = at_sandbox(sandbox).pop()
        long_ago()
        phones.sync(application)
        entry.refresh_from_db()
        assert entry.state == EntryState.REFUSED

        if again:
            assert phone_changes.add(application=application, group="counter", name="desk").state == EntryState.ACCEPTED
        else:
            at_sandbox(sandbox).append(late)
        phones.sync(application)

        entry.refresh_from_db()
        assert entry.state == state

    @pytest.mark.parametrize("fault", ["bad_gateway_before", "bad_gateway_after"])
    @pytest.mark.parametrize("is_lost_first", [True, False])
    def test_phones_of_another_request_whose_name_begins_so_prove_nothing(
        self, sandbox: RunningSandbox, phone: SipPhone, application: Application, fault: str, is_lost_first: bool
    ) -> None:
        def other() -> None:
            phone_changes.add(application=application, group="counter", name="desk2")

        if not is_lost_first:
            sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
            other()
            late = at_sandbox(sandbox).pop()  # it comes later than the next request
        sandbox.set_faults(next_fault=fault, next_calls=1)
        entry = phone_changes.add(application=application, group="counter", name="desk")
        if is_lost_first:
            other()
        else:
            at_sandbox(sandbox).append(late | {"account": "another"})

        long_ago()
        phones.sync(application)

        entry.refresh_from_db()
        has_arrived = fault == "bad_gateway_after"
        assert entry.state == (EntryState.ACCEPTED if has_arrived else EntryState.UNKNOWN)

    @pytest.mark.parametrize(
        ("fault", "quantity", "is_before", "state"),
        [
            ("bad_gateway_before", 3, False, EntryState.UNKNOWN),
            ("bad_gateway_after", 3, False, EntryState.UNKNOWN),
            ("bad_gateway_after", 1, False, EntryState.ACCEPTED),
            ("bad_gateway_after", 3, True, EntryState.ACCEPTED),
            ("bad_gateway_before", 3, True, EntryState.REFUSED),
        ],
    )
    def test_phones_of_another_request_whose_name_it_begins_with_prove_nothing(
        self,
        sandbox: RunningSandbox,
        phone: SipPhone,
        application: Application,
        fault: str,
        quantity: int,
        is_before: bool,
        state: EntryState,
    ) -> None:
        def other() -> None:
            phone_changes.add(application=application, group="counter", name="desk", quantity=quantity)
            phones.sync(application)

        if is_before:
            other()
        sandbox.set_faults(next_fault=fault, next_calls=1)
        entry = phone_changes.add(application=application, group="counter", name="desk-2x" if is_before else "desk-2")
        if not is_before:
            if fault == "bad_gateway_after":  # as Laaffic may count: not another of this very name
                at_sandbox(sandbox)[-1]["phoneName"] = "desk-2 (1)"
            other()

        long_ago()
        phones.sync(application)

        entry.refresh_from_db()
        assert entry.state == state

    def test_the_list_of_an_application_that_is_switched_off_still_settles_it(
        self, sandbox: RunningSandbox, phone: SipPhone, application: Application
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        entry = phone_changes.add(application=application, group="counter", name="desk")
        Application.objects.update(is_active=False)
        assert scheduling.names() == ["phones voiceApp"]

        scheduling.sync("phones voiceApp")

        entry.refresh_from_db()
        assert (entry.state, scheduling.names()) == (EntryState.ACCEPTED, [])

    def test_phones_of_a_request_whose_name_begins_ours_prove_nothing(
        self, sandbox: RunningSandbox, phone: SipPhone, application: Application
    ) -> None:
        """However Laaffic counts several of one name: the second of “desk” may be “desk2”."""
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        entry = phone_changes.add(application=application, group="counter", name="desk2")
        phone_changes.add(application=application, group="counter", name="desk", quantity=3)
        ours = [one for one in at_sandbox(sandbox) if one["phoneName"].startswith("desk")]
        for n, listed in enumerate(ours, start=1):
            listed["phoneName"] = f"desk{n}"

        long_ago()
        phones.sync(application)

        entry.refresh_from_db()
        assert entry.state == EntryState.UNKNOWN

    def test_an_answer_that_comes_after_the_list_denied_it_is_believed(
        self, phone: SipPhone, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send = single_requests.send

        def late(entry: LedgerEntry, request: Any) -> Any:
            answer = send(entry, request)
            LedgerEntry.objects.filter(pk=entry.pk).update(
                state=EntryState.REFUSED, evidence="it holds none", evidence_kind="list"
            )
            return answer

        monkeypatch.setattr(single_requests, "send", late)

        assert phone_changes.add(application=application, group="counter", name="desk").state == EntryState.ACCEPTED

    def test_a_list_that_a_clock_dated_ahead_does_not_deny_it(self, phone: SipPhone, application: Application) -> None:
        added = phone_changes.add(application=application, group="counter", name="desk")
        later = timezone.now() + dt.timedelta(hours=8)
        VoiceSync.objects.update(started_at=later, succeeded_at=later)

        assert phone_changes.add(application=application, group="counter", name="desk") == added

    def test_a_list_that_was_never_read_is_read_first(self, sandbox: RunningSandbox, application: Application) -> None:
        """Otherwise a phone that was there before would prove that another arrived."""
        with pytest.raises(ValidationError, match="has a phone of this name"):
            phone_changes.add(application=application, group="counter", name="sip-1")

    def test_while_that_list_cannot_be_read_no_phone_is_asked_for(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        sandbox.set_faults(status="-25", status_calls=1)

        with pytest.raises(ValidationError, match="-25"):
            phone_changes.add(application=application, group="counter", name="desk")

        assert not LedgerEntry.objects.exists()
        assert len(at_sandbox(sandbox)) == 5

    def test_nobody_is_told_that_a_synchronisation_adds_it(
        self, sandbox: RunningSandbox, application: Application, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:1/v3"
        account.laaffic_client.cache_clear()

        with pytest.raises(ValidationError, match=r"Nothing was done\. Try again in some minutes"):
            phone_changes.add(application=application, group="counter", name="desk")

    def test_one_whose_process_died_is_unknown(self, phone: SipPhone, application: Application) -> None:
        call = phone_changes.add(application=application, group="counter", name="desk")
        LedgerEntry.objects.update(state=EntryState.IN_FLIGHT, left_at=F("prepared_at"))
        long_ago()

        calls.recover()

        call.refresh_from_db()
        assert call.state == EntryState.UNKNOWN


class ResetTests:
    def test_it_is_shown_once_and_kept_nowhere(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client
    ) -> None:
        address = reverse("admin:voice_sipphone_password", args=[phone.pk])
        before = password_of(sandbox, phone.account)
        assert admin_client.get(address).status_code == 200
        assert password_of(sandbox, phone.account) == before  # a look changes nothing

        page = admin_client.post(address)

        password = password_of(sandbox, phone.account)
        assert password != before
        assert password in page.content.decode()
        assert "no-store" in page["Cache-Control"]
        assert password not in admin_client.get(address).content.decode()
        assert password not in everything_stored()
        assert LedgerEntry.objects.get().state == EntryState.ACCEPTED

    def test_half_an_answer_leaves_no_password_behind(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client
    ) -> None:
        sandbox.set_faults(next_fault="half_json", next_calls=1)

        with pytest.raises(ValidationError, match="answer was lost"):
            phone_changes.reset(phone)

        assert LedgerEntry.objects.get().state == EntryState.UNKNOWN
        assert "new-pw" not in everything_stored()

    def test_of_two_at_once_only_one_leaves(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        before = password_of(sandbox, phone.account)

        with leases.lease(f"sip-password:{phone.pk}"), pytest.raises(ValidationError, match="right now"):
            phone_changes.reset(phone)

        assert password_of(sandbox, phone.account) == before
        assert not LedgerEntry.objects.exists()

    def test_loaded_again_the_page_resets_nothing(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client
    ) -> None:
        address = reverse("admin:voice_sipphone_password", args=[phone.pk])
        form = {"csrfmiddlewaretoken": "x" * 64}
        admin_client.post(address, form)
        password = password_of(sandbox, phone.account)

        page = admin_client.post(address, form)

        assert page.status_code == 302
        assert password_of(sandbox, phone.account) == password

    def test_another_reset_ends_what_was_lost(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        with pytest.raises(ValidationError):
            phone_changes.reset(phone)

        made = phone_changes.reset(phone)

        assert made.password == password_of(sandbox, phone.account)
        assert made.password not in repr(made)
        assert {call.state for call in LedgerEntry.objects.all()} == {EntryState.ACCEPTED}

    def test_a_phone_that_is_gone(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        at_sandbox(sandbox).clear()
        with pytest.raises(ValidationError, match="-24"):
            phone_changes.reset(phone)

        phones.sync(phone.application)
        phone.refresh_from_db()
        with pytest.raises(ValidationError, match="does not list this phone"):
            phone_changes.reset(phone)


class PageTests:
    def test_phones_are_added(self, phone: SipPhone, application: Application, admin_client: Client) -> None:
        form = {"application": application.pk, "group": "counter", "name": "desk", "quantity": "2"}

        page = admin_client.post(reverse(ADD), form, follow=True)
        assert "Laaffic has added them" in page.content.decode()
        assert "voice/sipAdd" in admin_client.get(reverse(ADD)).content.decode()

        page = admin_client.post(reverse(ADD), form | {"group": "x", "name": "sip-1"})
        assert page.content.decode().count("c-error") == 2

    def test_who_may(self, phone: SipPhone, client: Client) -> None:
        user = User.objects.create_user("eve", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_sipphone", "add_sipcall"]))
        client.force_login(user)
        password = reverse("admin:voice_sipphone_password", args=[phone.pk])
        addresses = [reverse(ADD), password]
        assert "Reset password" not in client.get(reverse("admin:voice_sipphone_changelist")).content.decode()
        answers = [ask(address).status_code for address in addresses for ask in (client.get, client.post)]
        assert answers == [403] * 4

        user.user_permissions.add(Permission.objects.get(codename="provision_sipphone"))
        assert [client.get(address).status_code for address in addresses] == [200, 200]

    def test_its_page_offers_what_its_row_does(self, phone: SipPhone, admin_client: Client) -> None:
        """On a narrow screen the row shows no links."""
        address = reverse("admin:voice_sipphone_change", args=[phone.pk])
        offered = [f"{reverse('admin:voice_sipcall_add')}?phone={phone.pk}", f"{address[:-7]}password/"]
        shown = admin_client.get(address).content.decode()
        assert all(f'href="{link}"' in shown for link in offered)

        SipPhone.objects.update(gone_at=timezone.now())
        shown = admin_client.get(address).content.decode()
        assert not any(f'href="{link}"' in shown for link in offered)

    def test_a_page_is_called_as_its_row_is_written(self, phone: SipPhone, admin_client: Client) -> None:
        shown = admin_client.get(reverse("admin:voice_sipphone_change", args=[phone.pk])).content.decode()
        assert str(phone).islower()
        assert f"{str(phone).capitalize()}" not in shown


class CommandTests:
    def said(self, *given: str, out: StringIO | None = None) -> Any:
        out = out or StringIO()
        call_command("voice", *given, "--json", stdout=out)
        return json.loads(out.getvalue())

    def test_add_and_reset(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        added = self.said("phone", "add", "--group", "counter", "--name", "desk", "--quantity", "2")
        made = self.said("phone", "reset", phone.account)

        assert added["state"] == "accepted"
        assert made == {"account": phone.account, "password": password_of(sandbox, phone.account)}

    @pytest.mark.parametrize(
        ("given", "keys"),
        [
            (["add", "--group", "counter", "--name", "desk"], {"state", "call"}),
            (["reset", "test_001"], {"account", "password"}),
        ],
    )
    def test_a_lost_answer_is_said(
        self, sandbox: RunningSandbox, phone: SipPhone, given: list[str], keys: set[str]
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        out = StringIO()
        with pytest.raises(CommandError, match="answer was lost") as problem:
            self.said("phone", *given, out=out)
        assert problem.value.returncode == 3
        document = json.loads(out.getvalue())
        assert document.keys() == keys
        assert document.get("password", "") == ""

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (["add", "--name", "desk"], "4 to 32"),
            (["reset"], "Say which phone: manage.py voice phone reset ACCOUNT"),
            (["reset", "nobody"], "Unknown SIP phone"),
            (["add", "--app", "nothing"], "Register it first"),
        ],
    )
    def test_what_is_missing_is_said(self, phone: SipPhone, given: list[str], said: str) -> None:
        with pytest.raises(CommandError, match=said):
            self.said("phone", *given)

    def test_an_application_that_is_switched_off_is_named(self, application: Application) -> None:
        Application.objects.update(is_active=False)

        for given in (["phone", "add", "--group", "counter", "--name", "desk"], ["sync"]):
            with pytest.raises(CommandError, match=r"voiceApp is switched off.*/gateway/application/\d+/change/"):
                self.said(*given)


class RefusedTests:
    @pytest.mark.parametrize(
        ("code", "field"), [("-20", "name"), ("-23", "quantity"), ("-3", "__all__")], ids=["there", "full", "else"]
    )
    def test_a_refusal_is_said_at_its_field(
        self, sandbox: RunningSandbox, phone: SipPhone, application: Application, code: str, field: str
    ) -> None:
        sandbox.set_faults(status=code, status_calls=1)

        with pytest.raises(ValidationError) as problem:
            phone_changes.add(application=application, group="counter", name="desk", quantity=1)

        found = problem.value.message_dict if hasattr(problem.value, "error_dict") else {"__all__": []}
        assert list(found) == [field]
        assert LedgerEntry.objects.latest("pk").state == EntryState.REFUSED

    def test_an_application_of_another_channel_has_no_phones(
        self, phone: SipPhone, sms_application: Application
    ) -> None:
        with pytest.raises(ValidationError) as problem:
            phone_changes.add(application=sms_application, group="counter", name="desk", quantity=1)

        assert list(problem.value.message_dict) == ["application"]

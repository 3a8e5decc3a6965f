"""Calls from a SIP phone, against the sandbox over real HTTP: made once, and known by their records."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger, lost_requests, open_acts, single_requests
from laaffic_console.gateway.services.ledger.known_by import Evidence
from laaffic_console.laaffic import CallRecord as WireRecord
from laaffic_console.laaffic import Family, Refused, Source, lookup
from laaffic_console.laaffic.call_records import from_row
from laaffic_console.laaffic.pages import MalformedRecord, Page
from laaffic_console.laaffic.voice import VoiceApi, _phone
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Contact, SuppressionEntry
from tests.numbers.conftest import long_ago
from voice.models import CallRecord, SipCall, SipPhone, VoiceSync
from voice.services import syncing
from voice.services.asking import records_pulls, scheduling
from voice.services.calls import sip_calls as calls
from voice.services.phones import changes as phone_changes
from voice.services.phones import sip_phones as phones
from voice.services.records import call_records

pytestmark = pytest.mark.django_db(transaction=True)

CALLEE = "+91 98765 00000"


def rung(sandbox: RunningSandbox) -> int:
    return len(sandbox._ask("GET", "/sandbox/calls")["calls"])


def read_records() -> None:
    time.sleep(0.1)
    records_pulls.sync(records_pulls.SIP)


def said_not_to_have_rung(sandbox: RunningSandbox, phone: SipPhone, by: object) -> SipCall:
    """A call whose answer was lost, and of which somebody said that it did not ring."""
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    made = calls.place(phone=phone, callee=CALLEE)
    calls.did_not_ring(made.pk, why="nobody heard it", by=by)  # type: ignore[arg-type]
    return made


def record_of(made: SipCall, mark: str, voice_id: str) -> WireRecord:
    said = {"voiceId": voice_id, "callee": made.callee, "calledInfo": mark, "terminationCode": "0"}
    return from_row(said)


class PhoneTests:
    def test_they_are_copied_without_passwords_and_marked_as_gone(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        assert phones.sync(application) == 5
        phone = SipPhone.objects.get(account="test_001")
        assert (phone.group_name, phone.name, phone.display_number) == ("sipGroup", "sip-1", "861000000")
        assert not [name for name in vars(phone) if "password" in name]

        SipPhone.objects.create(application=application, account="old", last_seen_at=timezone.now())
        phones.sync(application)

        assert list(SipPhone.objects.exclude(gone_at=None).values_list("account", flat=True)) == ["old"]

    def test_a_row_that_cannot_be_read_may_be_any_phone(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        phones.sync(application)
        SipPhone.objects.create(application=application, account="old", last_seen_at=timezone.now())
        page: Page[Any] = Page([], ["a phone without an account"], 1, None, 1)
        monkeypatch.setattr(VoiceApi, "phones", lambda *_given, **_more: page)

        phones.sync(application)

        assert not SipPhone.objects.exclude(gone_at=None).exists()
        copy = VoiceSync.objects.get(name=phones.name_of(application))
        assert copy.problem.startswith("1 row of Laaffic's list could not be read, so nothing")

    def test_a_phone_that_cannot_be_kept_costs_no_other(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        phones.sync(application)
        SipPhone.objects.update(name="")
        create = QuerySet.bulk_create

        def refuse(rows: QuerySet[Any], some: Any, *given: Any, **more: Any) -> Any:
            if any(getattr(row, "account", "") == "test_001" for row in some):
                raise DataError("value too long")
            return create(rows, some, *given, **more)

        monkeypatch.setattr(QuerySet, "bulk_create", refuse)

        phones.sync(application)

        assert SipPhone.objects.filter(gone_at=None).count() == 5
        assert [phone.account for phone in SipPhone.objects.filter(name="")] == ["test_001"]
        assert "could not be read" in VoiceSync.objects.get(name=phones.name_of(application)).problem

    def test_what_a_row_does_not_say_stays_and_denies_nothing(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        phones.sync(application)
        before = SipPhone.objects.values(*phones.COPIED).get(account="test_001")
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        entry = phone_changes.add(application=application, group="counter", name="desk")
        long_ago()
        page = Page([_phone({"account": account}) for account in ("test_001", "new")], [], 2, None, 1)
        monkeypatch.setattr(VoiceApi, "phones", lambda *_given, **_more: page)

        phones.sync(application)

        entry.refresh_from_db()
        assert SipPhone.objects.values(*phones.COPIED).get(account="test_001") == before
        assert entry.state == EntryState.UNKNOWN

    def test_an_account_that_is_too_long_to_be_kept_cannot_be_read(self) -> None:
        with pytest.raises(MalformedRecord, match="65 characters"):
            _phone({"account": "x" * 65})

    def test_a_clock_that_is_set_during_the_reading_hides_no_phone(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        right_now, renew = timezone.now, syncing.Reading.go_on

        def renew_after_the_clock_was_set(reading: syncing.Reading[VoiceSync]) -> None:
            monkeypatch.setattr(timezone, "now", right_now)
            renew(reading)

        monkeypatch.setattr(syncing.Reading, "go_on", renew_after_the_clock_was_set)
        monkeypatch.setattr(timezone, "now", lambda: right_now() + dt.timedelta(hours=1))

        phones.sync(application)

        assert phones.usable().count() == 5


class CallTests:
    @pytest.mark.parametrize("callee", ["12", "hello"])
    def test_what_is_no_number_is_not_called(self, sandbox: RunningSandbox, phone: SipPhone, callee: str) -> None:
        with pytest.raises(ValidationError) as problem:
            calls.place(phone=phone, callee=callee)

        assert list(problem.value.message_dict) == ["callee"]
        assert rung(sandbox) == 0

    def test_a_phone_that_is_gone_calls_nobody(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        phone.gone_at = timezone.now()

        with pytest.raises(ValidationError, match="does not list this phone any more"):
            calls.place(phone=phone, callee=CALLEE)

        assert not SipCall.objects.exists()

    def test_a_list_that_there_is_not_is_said_so(self, phone: SipPhone) -> None:
        with pytest.raises(syncing.SyncFailed, match="Unknown list “birds”"):
            scheduling.sync("birds")

    def test_a_call_and_its_record(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        contact = Contact.objects.create(number="919876500000", name="Ann")

        made = calls.place(phone=phone, callee=CALLEE)
        read_records()

        made.refresh_from_db()
        assert made.entry is not None
        assert (made.entry.state, made.entry.about_kind) == (EntryState.ACCEPTED, "SIP call")
        assert made.contact == contact
        assert made.record is not None
        assert (made.record.voice_id, made.record.callee, made.record.called_info) == (
            made.voice_id,
            "919876500000",
            made.called_info,
        )

    def test_a_busy_phone_is_told_and_can_be_tried_again(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        sandbox.sandbox.options.busy_phones = ["test_001"]
        made = calls.place(phone=phone, callee=CALLEE)
        assert made.entry is not None
        assert (made.entry.state, made.entry.code) == (EntryState.REFUSED, "-68")
        assert "not idle" in calls.advice(made)

        sandbox.sandbox.options.busy_phones = []
        again = calls.try_again(made.pk)

        assert again.entry is not None
        assert (again.entry.state, again.entry.attempt, rung(sandbox)) == (EntryState.ACCEPTED, 2, 1)
        with pytest.raises(ValidationError):
            calls.try_again(made.pk)
        assert rung(sandbox) == 1

    def test_a_lost_answer_is_looked_for_from_the_attempt_on_not_from_the_first(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: Any
    ) -> None:
        """So that who rings the same person a minute later is asked for a reason, two days after a refused call too."""
        made = said_not_to_have_rung(sandbox, phone, admin_user)
        long_ago = timezone.now() - dt.timedelta(days=2)
        SipCall.objects.update(created_at=long_ago)
        LedgerEntry.objects.update(prepared_at=long_ago, left_at=long_ago)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        calls.try_again(made.pk)
        assert calls.oldest_waiting() == LedgerEntry.objects.latest("pk").prepared_at

        SipCall.objects.update(look_at=timezone.now())
        calls.looked(timezone.now())

        made = SipCall.objects.select_related("entry").get()
        assert made.entry is not None
        assert made.entry.state == EntryState.UNKNOWN
        assert made.look_at is not None
        with pytest.raises(ValidationError):
            calls.place(phone=phone, callee=CALLEE)

    @pytest.mark.parametrize("fault", ["reset_after", "bad_gateway_after", "half_json", "html"])
    def test_a_lost_answer_is_settled_by_our_mark(self, sandbox: RunningSandbox, phone: SipPhone, fault: str) -> None:
        sandbox.set_faults(next_fault=fault, next_calls=1)
        made = calls.place(phone=phone, callee=CALLEE)
        assert made.entry is not None
        assert made.entry.state == EntryState.UNKNOWN
        with pytest.raises(ValidationError):
            calls.try_again(made.pk)

        read_records()

        made.refresh_from_db()
        assert made.record is not None
        assert LedgerEntry.objects.get(about_kind="SIP call").state == EntryState.ACCEPTED
        assert rung(sandbox) == 1

    def test_what_never_arrived_stays_unknown_until_a_person_speaks(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: object
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        made = calls.place(phone=phone, callee=CALLEE)
        read_records()
        made.refresh_from_db()
        assert made.entry is not None
        assert made.entry.state == EntryState.UNKNOWN

        calls.did_not_ring(made.pk, why="nobody heard it", by=admin_user)  # type: ignore[arg-type]
        calls.try_again(made.pk)

        assert rung(sandbox) == 1

    @pytest.mark.parametrize("change", ["switched off", "gone", "unknown"])
    def test_it_is_not_tried_again_from_what_calls_no_more(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: User, change: str
    ) -> None:
        made = said_not_to_have_rung(sandbox, phone, admin_user)
        if change == "switched off":
            Application.objects.update(is_active=False)
        elif change == "gone":
            SipPhone.objects.update(gone_at=timezone.now())
        else:
            SipPhone.objects.all().delete()
        says = "application is switched off" if change == "switched off" else "does not list the SIP phone test_001"

        with pytest.raises(ValidationError, match=says):
            calls.try_again(made.pk)

        assert (rung(sandbox), LedgerEntry.objects.count()) == (0, 1)

    def test_a_second_person_comes_too_late_to_speak(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: object
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        made = calls.place(phone=phone, callee=CALLEE)
        calls.it_rang(made.pk, why="I heard it", by=admin_user)  # type: ignore[arg-type]

        with pytest.raises(ValidationError, match="known by now"):
            calls.did_not_ring(made.pk, why="nobody heard it", by=admin_user)  # type: ignore[arg-type]

        entry = LedgerEntry.objects.get(about_kind="SIP call")
        assert (entry.state, "I heard it" in entry.evidence) == (EntryState.ACCEPTED, True)

    @pytest.mark.parametrize(("is_recorded", "state"), [(False, EntryState.REFUSED), (True, EntryState.ACCEPTED)])
    def test_a_late_refusal_knows_better_than_a_person_and_a_record_better_than_both(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: User, is_recorded: bool, state: EntryState
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        made = calls.place(phone=phone, callee=CALLEE)
        calls.it_rang(made.pk, why="I heard it", by=admin_user)
        if is_recorded:
            call_records.take([record_of(made, made.called_info, "v-1")], Source.VOICE_RECORD)
        assert made.entry is not None

        refusal = Refused(interface="voice/sendSip", entry=lookup(Family.VOICE, "-68"), reason="no", http_status=200)
        ledger.settle_error(made.entry.pk, refusal)

        made.entry.refresh_from_db()
        assert made.entry.state == state

    def test_an_answer_that_comes_late_knows_better_than_a_person(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The process stood still between answer and row; meanwhile its request was given up, and somebody spoke."""
        settle = ledger.settle_accepted

        def late(entry_id: int, *, evidence: Evidence) -> bool:
            LedgerEntry.objects.filter(pk=entry_id).update(state=EntryState.UNKNOWN)
            asked = SipCall.objects.get(entry=entry_id)
            calls.did_not_ring(asked.pk, why="nobody heard it", by=admin_user)  # type: ignore[arg-type]
            return settle(entry_id, evidence=evidence)

        monkeypatch.setattr(ledger, "settle_accepted", late)

        made = calls.place(phone=phone, callee=CALLEE)

        assert made.entry is not None
        assert (made.entry.state, made.voice_id != "") == (EntryState.ACCEPTED, True)
        with pytest.raises(ValidationError):
            calls.try_again(made.pk)
        assert rung(sandbox) == 1

    def test_a_late_answer_to_the_first_makes_it_the_calls_where_the_second_was_refused(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its process stood still between the answer and the row."""
        send = single_requests.send

        def stands_still(entry: LedgerEntry, request: Callable[[], str]) -> str:
            voice_id = send(entry, request)
            monkeypatch.setattr(single_requests, "send", send)
            ledger.lose(ledger.only(entry.pk), "no answer came")
            asked = SipCall.objects.get(entry=entry)
            calls.did_not_ring(asked.pk, why="nobody heard it", by=admin_user)
            sandbox.sandbox.options.busy_phones = [phone.account]
            calls.try_again(asked.pk)
            return voice_id

        monkeypatch.setattr(single_requests, "send", stands_still)

        made = calls.place(phone=phone, callee=CALLEE)

        assert made.entry is not None
        assert (made.entry.attempt, made.entry.state, made.voice_id != "") == (1, EntryState.ACCEPTED, True)
        with pytest.raises(ValidationError, match="not made again"):
            calls.try_again(made.pk)

    @pytest.mark.parametrize("second", ["bad_gateway_before", "reset_after", None])
    def test_a_late_record_of_the_first_attempt_settles_the_first_alone(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: object, second: str | None
    ) -> None:
        made = said_not_to_have_rung(sandbox, phone, admin_user)
        if second:
            sandbox.set_faults(next_fault=second, next_calls=1)
        again = calls.try_again(made.pk)
        assert again.entry is not None
        before = again.entry.state

        call_records.take([record_of(made, made.called_info, "v-1")], Source.VOICE_RECORD)

        again = SipCall.objects.select_related("entry").get(pk=made.pk)
        first = LedgerEntry.objects.get(about_kind="SIP call", attempt=1)
        assert (first.state, "v-1" in first.evidence) == (EntryState.ACCEPTED, True)
        assert again.entry is not None
        assert (again.entry.state, again.record) == (before, None)

    def test_each_attempt_is_settled_by_its_own_mark(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: object
    ) -> None:
        made = said_not_to_have_rung(sandbox, phone, admin_user)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        calls.try_again(made.pk)

        call_records.take(
            [record_of(made, f"{made.called_info}-2", "v-2"), record_of(made, made.called_info, "v-1")],
            Source.VOICE_RECORD,
        )

        made.refresh_from_db()
        assert made.record is not None
        assert made.record.voice_id == "v-2"
        rows = LedgerEntry.objects.filter(about_kind="SIP call").order_by("attempt")
        assert [(row.state, row.evidence[-3:]) for row in rows] == [
            (EntryState.ACCEPTED, "v-1"),
            (EntryState.ACCEPTED, "v-2"),
        ]

    @pytest.mark.parametrize(("callee", "is_its"), [(None, True), ("", True), ("919876511111", False)])
    def test_a_record_without_our_mark_is_known_by_the_id_and_the_number(
        self, sandbox: RunningSandbox, phone: SipPhone, callee: str | None, is_its: bool
    ) -> None:
        made = calls.place(phone=phone, callee=CALLEE)
        SipCall.objects.filter(pk=made.pk).update(voice_id="v-1")
        said = {"voiceId": "v-1", "callee": made.callee if callee is None else callee, "terminationCode": "0"}

        call_records.take([from_row(said)], Source.VOICE_RECORD)

        made.refresh_from_db()
        assert (made.record is not None) is is_its

    def test_a_record_in_another_spelling_is_the_calls(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        made = calls.place(phone=phone, callee="525512345678")
        said = {"voiceId": "v-1", "callee": "5215512345678", "calledInfo": made.called_info, "terminationCode": "0"}

        call_records.take([from_row(said)], Source.VOICE_RECORD)

        made.refresh_from_db()
        assert made.record is not None

    def test_nobody_calls_again_once_a_record_says_that_it_rang(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: object
    ) -> None:
        made = said_not_to_have_rung(sandbox, phone, admin_user)
        call_records.take([record_of(made, made.called_info, "v-1")], Source.VOICE_PUSH)

        with pytest.raises(ValidationError):
            calls.try_again(made.pk)

        assert LedgerEntry.objects.get(about_kind="SIP call").state == EntryState.ACCEPTED
        assert rung(sandbox) == 0

    @pytest.mark.parametrize("refused", [True, False])
    def test_a_record_of_the_first_forbids_a_third_after_a_second_that_did_not_leave(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: object, refused: bool
    ) -> None:
        made = said_not_to_have_rung(sandbox, phone, admin_user)
        if refused:
            sandbox.sandbox.options.busy_phones = [phone.account]
        else:
            AccountHold.objects.create(scope="account", sentence="x", placed_at=timezone.now(), probe_wait=15)
        calls.try_again(made.pk)
        call_records.take([record_of(made, made.called_info, "v-1")], Source.VOICE_RECORD)

        with pytest.raises(ValidationError, match="rang"):
            calls.try_again(made.pk)

    @pytest.mark.parametrize("mark", ["{}-3", "{}-0", "{}x", "x{}", "{}-2-2", ""])
    def test_a_mark_of_no_attempt_of_ours_settles_nothing(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_user: object, mark: str
    ) -> None:
        made = said_not_to_have_rung(sandbox, phone, admin_user)

        call_records.take([record_of(made, mark.format(made.called_info), "v-1")], Source.VOICE_RECORD)

        made.refresh_from_db()
        assert (made.record, LedgerEntry.objects.get(about_kind="SIP call").state) == (None, EntryState.NOT_SENT)

    def test_nothing_leaves_while_the_account_is_held(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        AccountHold.objects.create(scope="account", sentence="No funds.", placed_at=timezone.now(), probe_wait=15)

        made = calls.place(phone=phone, callee=CALLEE)

        assert made.entry is not None
        assert (made.entry.state, rung(sandbox)) == (EntryState.NOT_SENT, 0)
        assert "No funds." in calls.advice(made)

    def test_who_opted_out_is_not_called(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        SuppressionEntry.objects.create(number="919876500000", channel="voice")

        with pytest.raises(ValidationError) as problem:
            calls.place(phone=phone, callee=CALLEE)

        assert list(problem.value.error_dict) == ["callee"]
        assert not SipCall.objects.exists()

    def test_who_opts_out_while_a_call_waits_for_its_turn_is_not_called(
        self, sandbox: RunningSandbox, phone: SipPhone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def require(*_given: Any, **_more: Any) -> dict[str, Any]:
            SuppressionEntry.objects.create(number="919876500000", channel="voice")
            return {}

        monkeypatch.setattr(open_acts, "require", require)

        with pytest.raises(ValidationError, match="suppression list"):
            calls.place(phone=phone, callee=CALLEE)

        assert rung(sandbox) == 0

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("callee", {"callee": "123456"}),
            ("callee", {"callee": "1" * 16}),
            ("display_number", {"display_number": "123456"}),
        ],
    )
    def test_bad_input_is_said_at_its_field(
        self, sandbox: RunningSandbox, phone: SipPhone, field: str, given: dict[str, str]
    ) -> None:
        with pytest.raises(ValidationError) as problem:
            calls.place(**{"phone": phone, "callee": CALLEE} | given)  # type: ignore[arg-type]

        assert list(problem.value.error_dict) == [field]

    def test_a_dead_process_leaves_an_unknown_call(self, sandbox: RunningSandbox, phone: SipPhone) -> None:
        made = calls.place(phone=phone, callee=CALLEE)
        long_ago = timezone.now() - lost_requests.LOST_AFTER * 2
        LedgerEntry.objects.update(state=EntryState.IN_FLIGHT, left_at=long_ago)

        scheduling.sweep()

        made.refresh_from_db()
        assert made.entry is not None
        assert made.entry.state == EntryState.UNKNOWN
        assert not CallRecord.objects.exists()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (LedgerEntry(state=EntryState.REFUSED, code="-3", evidence="-3 said"), "-3 said"),
        (LedgerEntry(state=EntryState.REFUSED, code="-40", reason="why"), "why"),
        (
            LedgerEntry(state=EntryState.REFUSED, code="-22", reason="no such account", evidence_kind="answer"),
            "Laaffic refused with -22: wrong parameter (“no such account”). Check the number, and what the call is to "
            "say.",
        ),
        (LedgerEntry(state=EntryState.NOT_SENT, reason="no route"), "The call was not made: no route"),
        (LedgerEntry(state=EntryState.PREPARED), "The request is under way."),
        (LedgerEntry(state=EntryState.ACCEPTED), ""),
    ],
)
def test_what_came_of_a_call_is_said(entry: LedgerEntry, says: str) -> None:
    assert calls.advice(SipCall(entry=entry, account="test_001")) == says

"""Bind and unbind: recorded before they leave, never sent twice by themselves, settled by what the list shows."""

import datetime as dt
from typing import Any, cast

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from laaffic_console.gateway.models import AccountHold, Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic.numbers import NumbersApi
from laaffic_console.laaffic.transport import Transport
from laaffic_console.sandbox.testing import RunningSandbox
from phone_numbers import jobs
from phone_numbers.models import Binding, BindingKind, BindingRequest, SyncStatus
from phone_numbers.services import binding_changes, binding_evidence, binding_sync, lost_requests, scheduling
from tests.numbers.conftest import Door, long_ago

pytestmark = pytest.mark.django_db(transaction=True)

A, B, C = "+91 98765 43210", "+91 98765 43211", "+91 98765 43212"


def bind(application: Application, **given: Any) -> BindingRequest:
    terms = {"phone_a": A, "phone_b": B, "pool_number": "918885", "seconds": 3600, **given}
    return binding_changes.bind(application=application, **terms)


def arrives(asked: BindingRequest) -> None:
    """What was asked for is done by a request of which the console knows nothing."""
    account.laaffic_client().numbers.bind(
        app_id=asked.application.app_id,
        phone_a=asked.phone_a,
        phone_b=asked.phone_b,
        pool_number=asked.pool_number,
        expires_in=3600,
    )


def lost_bind(application: Application, **given: Any) -> BindingRequest:
    """A request that left some minutes ago, and whose answer was lost."""
    asked = BindingRequest.objects.create(
        **{
            "verb": "bind",
            "application": application,
            "phone_a": "919876543210",
            "phone_b": "919876543211",
            "pool_number": "918885",
            "seconds": 3600,
            "newest_before": max(Binding.objects.values_list("pk", flat=True), default=0),
            **given,
        }
    )
    asked.entry = ledger.prepare(
        interface="bind", application=application, about_kind="binding request", about_id=asked.pk, summary={}
    )
    asked.save(update_fields=["entry"])
    left = timezone.now() - dt.timedelta(minutes=5)
    LedgerEntry.objects.filter(pk=asked.entry_id).update(state=EntryState.UNKNOWN, left_at=left)
    return asked


def take_list(application: Application, *rows: dict[str, Any]) -> None:
    """A whole list of these rows, as Laaffic writes them."""
    api, began = NumbersApi(cast("Transport", None)), timezone.now()
    binding_sync.write(application, [api._binding(row) for row in rows], began=began)
    binding_sync.mark_ended(application, began)
    binding_evidence.settle(application, began=began, is_complete=True)


def problems(application: Application, **given: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        bind(application, **given)
    found = caught.value
    return found.message_dict if hasattr(found, "error_dict") else {"__all__": found.messages}


class BindTests:
    def test_it_is_in_the_ledger_and_in_the_list(self, sandbox: RunningSandbox, application: Application) -> None:
        asked = bind(application)

        assert (asked.entry.state, asked.entry.interface, asked.entry.about_id) == ("accepted", "bind", asked.pk)
        made = asked.binding
        assert (made.phone_a, made.phone_b, made.pool_number) == ("919876543210", "919876543211", "918885")
        assert made.pns_number_a == made.pns_number_b == "9178605501"
        assert binding_sync.sync(application).added == 0
        assert Binding.objects.get().pool_number == "918885"

    def test_axxb_gives_each_side_a_number_of_its_own(self, sandbox: RunningSandbox, application: Application) -> None:
        made = bind(application, kind=BindingKind.AXXB).binding

        assert (made.pns_number_a, made.pns_number_b) == ("9178605501", "9178605502")

    @pytest.mark.parametrize(
        ("given", "field", "why"),
        [
            ({"phone_a": "nobody"}, "phone_a", "is not a phone number"),
            ({"phone_b": A}, "phone_b", "same number"),
            ({"phone_a": "+5491123456789", "phone_b": "+541123456789"}, "phone_b", "same number"),
            ({"phone_b": "+44 7400 123456"}, "phone_b", "only numbers of one country"),
            ({"pool_number": ""}, "pool_number", "1 to 20 characters"),
            ({"pool_number": "9" * 21}, "pool_number", "1 to 20 characters"),
            ({"seconds": 0}, "seconds", "3 days"),
            ({"seconds": 259_201}, "seconds", "3 days"),
        ],
    )
    def test_what_is_wrong_is_said_before_anything_is_recorded(
        self, sandbox: RunningSandbox, application: Application, given: dict[str, Any], field: str, why: str
    ) -> None:
        assert why in problems(application, **given)[field][0]
        assert not LedgerEntry.objects.exists()
        assert not BindingRequest.objects.exists()

    def test_an_application_of_another_product_is_refused(self, sandbox: RunningSandbox, db: None) -> None:
        sms = Application.objects.create(app_id="Sms1", channel="sms")

        assert "channel Numbers" in problems(sms)["application"][0]

    def test_bound_already_names_the_binding(self, sandbox: RunningSandbox, application: Application) -> None:
        first = bind(application)

        said = problems(application, phone_b=C)["phone_a"][0]

        assert "−35" in said
        assert first.binding.bind_id in said
        assert LedgerEntry.objects.latest("pk").state == EntryState.REFUSED

    def test_bound_already_by_somebody_else_says_how_to_see_it(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        bind(application)
        BindingRequest.objects.all().delete()
        Binding.objects.all().delete()  # as if it had been made elsewhere

        assert "Synchronise to see the binding" in problems(application, phone_b=C)["phone_a"][0]

    def test_no_middle_number_is_free(self, sandbox: RunningSandbox, application: Application) -> None:
        bind(application, kind=BindingKind.AXXB)

        said = problems(application, phone_a="+91 98765 43220", phone_b="+91 98765 43221")

        assert "−41" in said["pool_number"][0]

    def test_an_application_that_is_switched_off_binds_nothing(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        """Whichever door asks: what it had bound can still be ended."""
        made = bind(application)
        Application.objects.update(is_active=False)
        application.refresh_from_db()

        assert problems(application, phone_b=C) == {"application": ["This application is switched off."]}

        assert LedgerEntry.objects.count() == 1
        assert binding_changes.unbind(made.binding).entry.state == "accepted"

    @pytest.mark.parametrize("verb", ["bind", "unbind"])
    def test_the_list_of_one_that_is_switched_off_still_settles_what_is_unknown(
        self, sandbox: RunningSandbox, application: Application, verb: str
    ) -> None:
        made = bind(application).binding if verb == "unbind" else None
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        asked = binding_changes.unbind(made) if made else bind(application)
        Application.objects.update(is_active=False)
        SyncStatus.objects.all().delete()
        assert scheduling.names() == ["bindings NumApp1"]
        OrmQ.objects.all().delete()

        jobs.sweep()
        for task in OrmQ.objects.all():
            jobs.sync(*task.task["args"])

        asked.refresh_from_db()
        assert asked.entry.state == EntryState.ACCEPTED
        assert scheduling.names() == []

    def test_what_ran_out_ends_although_its_list_cannot_be_read(self, application: Application) -> None:
        over = [lost_bind(application), lost_bind(application, verb="unbind"), lost_bind(application, seconds=259_200)]
        ended = {"expires_at": timezone.now() - dt.timedelta(days=2), "phone_a": "1", "phone_b": "2"}
        over[1].binding = Binding.objects.create(application=application, bind_id="7", **ended)
        over[1].save(update_fields=["binding"])
        LedgerEntry.objects.update(left_at=timezone.now() - dt.timedelta(days=2))

        assert binding_evidence.lapse() == 2

        states = [LedgerEntry.objects.get(pk=asked.entry_id).state for asked in over]
        assert states == [EntryState.LAPSED, EntryState.LAPSED, EntryState.UNKNOWN]

    def test_a_pool_that_is_not_there(self, sandbox: RunningSandbox, application: Application) -> None:
        assert "−24" in problems(application, pool_number="1")["pool_number"][0]

    def test_a_gateway_that_is_away_was_sent_nothing(
        self, settings: LazySettings, sandbox: RunningSandbox, application: Application
    ) -> None:
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
        account.laaffic_client.cache_clear()

        assert "Nothing was sent" in problems(application)["__all__"][0]
        assert LedgerEntry.objects.get().state == EntryState.NOT_SENT


class HoldTests:
    def test_a_held_account_sends_nothing(self, sandbox: RunningSandbox, application: Application) -> None:
        sandbox.set_faults(status="-13", status_calls=1)
        problems(application)
        assert AccountHold.objects.filter(released_at=None).count() == 1

        said = problems(application)["__all__"][0]

        assert "Nothing was sent" in said
        assert "-13" in said
        assert LedgerEntry.objects.latest("pk").state == EntryState.NOT_SENT
        assert sandbox.stats()["calls"]["/number/pns/bind"] == 1


class LostAnswerTests:
    def test_it_is_unknown_and_the_list_settles_it(self, sandbox: RunningSandbox, application: Application) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        asked = bind(application)
        assert (asked.entry.state, asked.binding) == (EntryState.UNKNOWN, None)

        binding_sync.sync(application)

        asked.refresh_from_db()
        assert asked.entry.state == EntryState.ACCEPTED
        assert asked.binding.bind_id in asked.entry.evidence
        assert asked.binding.pool_number == "918885"
        assert sandbox.stats()["calls"]["/number/pns/bind"] == 1

    def test_its_absence_proves_nothing_at_first_and_all_after_a_minute(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        asked = bind(application)
        binding_sync.sync(application)
        asked.refresh_from_db()
        assert asked.entry.state == EntryState.UNKNOWN
        long_ago()

        binding_sync.sync(application)

        asked.refresh_from_db()
        assert asked.entry.state == EntryState.REFUSED
        assert "nothing was bound" in asked.entry.evidence
        assert sandbox.stats()["calls"]["/number/pns/bind"] == 1

    @pytest.mark.parametrize("unbinds", [False, True])
    def test_what_only_a_later_list_shows_was_done(
        self, application: Application, door: Door, sandbox: RunningSandbox, unbinds: bool
    ) -> None:
        made = bind(application).binding if unbinds else None
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        asked = binding_changes.unbind(made) if made else bind(application)
        long_ago()
        binding_sync.sync(application)
        asked.refresh_from_db()
        assert asked.entry.state == EntryState.REFUSED
        if made:
            door("bindings/vanish", bind_ids=[made.bind_id])
        else:
            arrives(asked)

        binding_sync.sync(application)

        asked.refresh_from_db()
        assert (asked.entry.state, asked.binding is None) == (EntryState.ACCEPTED, False)
        assert asked.binding.ending == ("unbound" if unbinds else "")

    def test_an_answer_knows_better_than_a_list_without_it(
        self, application: Application, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asks = NumbersApi.bind

        def slowly(self: Any, **given: Any) -> Any:
            LedgerEntry.objects.update(state=EntryState.UNKNOWN)
            long_ago()
            binding_sync.sync(application)
            assert LedgerEntry.objects.get().state == EntryState.REFUSED
            return asks(self, **given)

        monkeypatch.setattr(NumbersApi, "bind", slowly)

        asked = bind(application)

        assert (asked.entry.state, asked.binding.ending) == (EntryState.ACCEPTED, "")

    def test_a_refusal_stays_one_whatever_a_list_shows(self, application: Application, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(status="-25", status_calls=1)
        problems(application)
        asked = BindingRequest.objects.get()
        arrives(asked)

        binding_sync.sync(application)

        asked.refresh_from_db()
        assert (asked.entry.state, asked.binding) == (EntryState.REFUSED, None)

    def test_a_binding_that_was_there_before_is_no_evidence(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        made = bind(application)
        BindingRequest.objects.all().delete()  # as if it had been made elsewhere
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        again = bind(application)

        binding_sync.sync(application)

        again.refresh_from_db()
        assert (again.entry.state, again.binding) == (EntryState.UNKNOWN, None)
        assert made.binding is not None

    def test_what_a_repeat_under_way_has_made_is_not_the_firsts(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        """The list is read between the binding and the answer about it."""
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        lost = bind(application)
        again = bind(application, again="they wait for it")
        made = again.binding
        BindingRequest.objects.filter(pk=again.pk).update(binding=None)
        LedgerEntry.objects.filter(pk=again.entry_id).update(state=EntryState.IN_FLIGHT)
        long_ago()

        binding_sync.sync(application)
        lost.refresh_from_db()
        assert (lost.entry.state, lost.binding) == (EntryState.UNKNOWN, None)

        BindingRequest.objects.filter(pk=again.pk).update(binding=made)
        LedgerEntry.objects.filter(pk=again.entry_id).update(state=EntryState.ACCEPTED)
        binding_sync.sync(application)
        lost.refresh_from_db()
        assert (lost.entry.state, lost.binding) == (EntryState.REFUSED, None)

    @pytest.mark.parametrize(
        ("asked_for", "listed"),
        [
            ("919876543210", "+919876543210"),
            ("919876543210", "00 91 98765-43210"),
            ("5215512345678", "525512345678"),
        ],
    )
    def test_a_list_that_spells_the_numbers_otherwise_shows_it_too(
        self, application: Application, asked_for: str, listed: str
    ) -> None:
        other = "919876543211"
        asked = lost_bind(application, phone_a=asked_for, phone_b=other)

        take_list(application, {"bindId": 7, "phoneA": listed, "phoneB": f"+{other}", "pnsNumberA": "+9178605501"})

        asked.refresh_from_db()
        made = Binding.objects.get()
        assert (asked.entry.state, asked.binding) == (EntryState.ACCEPTED, made)
        assert (made.phone_b, made.pns_number_a) == (other, "9178605501")

    def test_a_binding_that_two_requests_may_have_made_is_neithers(self, application: Application) -> None:
        """And neither is denied; once one is known, the binding is the other's."""
        both = [lost_bind(application), lost_bind(application, pool_number="918886")]
        row = {"bindId": 7, "phoneA": "919876543210", "phoneB": "919876543211"}

        take_list(application, row)

        for asked in both:
            asked.refresh_from_db()
            assert (asked.entry.state, asked.binding) == (EntryState.UNKNOWN, None)
        LedgerEntry.objects.filter(pk=both[1].entry_id).update(state=EntryState.REFUSED)
        take_list(application, row)
        both[0].refresh_from_db()
        assert (both[0].entry.state, both[0].binding) == (EntryState.ACCEPTED, Binding.objects.get())

    def test_two_requests_that_share_a_binding_end_when_it_would_be_over(self, application: Application) -> None:
        both = [lost_bind(application, seconds=1), lost_bind(application, seconds=1)]
        seen = timezone.now() - dt.timedelta(minutes=5)
        numbers = {"phone_a": both[0].phone_a, "phone_b": both[0].phone_b}
        Binding.objects.create(application=application, bind_id="7", first_seen_at=seen, **numbers)

        take_list(application)

        assert [entry.state for entry in LedgerEntry.objects.all()] == [EntryState.LAPSED] * 2

    def test_one_that_was_over_when_the_binding_came_did_not_make_it(self, application: Application) -> None:
        over, second = lost_bind(application, seconds=1), lost_bind(application)
        LedgerEntry.objects.filter(pk=over.entry_id).update(state=EntryState.LAPSED)

        take_list(application, {"bindId": 7, "phoneA": over.phone_a, "phoneB": over.phone_b})

        second.refresh_from_db()
        assert second.entry.state == EntryState.ACCEPTED

    def test_what_came_before_the_second_request_is_the_firsts(self, application: Application) -> None:
        first = lost_bind(application)
        made = Binding.objects.create(
            application=application, bind_id="7", phone_a=first.phone_a, phone_b=first.phone_b
        )
        second = lost_bind(application)

        take_list(application)

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.entry.state, first.binding) == (EntryState.ACCEPTED, made)
        assert (second.entry.state, second.binding) == (EntryState.REFUSED, None)

    def test_of_two_denied_requests_neither_gets_what_shows_up(self, application: Application) -> None:
        both = [lost_bind(application), lost_bind(application)]
        take_list(application)
        assert {entry.state for entry in LedgerEntry.objects.all()} == {EntryState.REFUSED}

        take_list(application, {"bindId": 7, "phoneA": both[0].phone_a, "phoneB": both[0].phone_b})

        assert {entry.state for entry in LedgerEntry.objects.all()} == {EntryState.REFUSED}

    def test_a_clock_that_was_ahead_when_it_left_hides_nothing(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        asked = bind(application)
        LedgerEntry.objects.update(left_at=timezone.now() + dt.timedelta(hours=1))

        binding_sync.sync(application)

        asked.refresh_from_db()
        assert (asked.entry.state, asked.binding is None) == (EntryState.ACCEPTED, False)

    def test_a_clock_that_was_behind_when_the_list_was_read_hides_nothing(
        self, sandbox: RunningSandbox, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        asked = bind(application)
        long_ago()
        right_now = timezone.now
        with monkeypatch.context() as behind:
            behind.setattr(timezone, "now", lambda: right_now() - dt.timedelta(hours=1))
            binding_sync.sync(application)

        binding_sync.sync(application)

        asked.refresh_from_db()
        assert (asked.entry.state, asked.binding is None) == (EntryState.ACCEPTED, False)

    def test_an_unbind_is_settled_by_the_list_too(self, sandbox: RunningSandbox, application: Application) -> None:
        made = bind(application).binding
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        asked = binding_changes.unbind(made)
        assert asked.entry.state == EntryState.UNKNOWN
        with pytest.raises(ValidationError, match="not known yet"):
            binding_changes.unbind(made)

        binding_sync.sync(application)

        asked.refresh_from_db()
        made.refresh_from_db()
        assert (asked.entry.state, made.ending) == (EntryState.ACCEPTED, "unbound")

    def test_an_unbind_that_never_arrived_leaves_the_binding(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        made = bind(application).binding
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        asked = binding_changes.unbind(made)
        long_ago()

        binding_sync.sync(application)

        asked.refresh_from_db()
        made.refresh_from_db()
        assert (asked.entry.state, made.is_live) == (EntryState.REFUSED, True)

    def test_a_process_that_died_leaves_an_unknown_that_the_list_settles(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        asked = bind(application)
        LedgerEntry.objects.update(state=EntryState.IN_FLIGHT, settled_at=None)
        BindingRequest.objects.update(binding=None)
        assert lost_requests.recover() == 0
        long_ago()
        assert lost_requests.recover() == 1
        Binding.objects.all().delete()

        binding_sync.sync(application)

        asked.refresh_from_db()
        assert asked.entry.state == EntryState.ACCEPTED

    def test_what_never_left_is_taken_back(self, sandbox: RunningSandbox, application: Application) -> None:
        bind(application)
        long_before = LedgerEntry.objects.get().prepared_at.replace(year=2020)
        LedgerEntry.objects.update(state=EntryState.PREPARED, prepared_at=long_before, left_at=None, settled_at=None)

        lost_requests.recover()

        assert LedgerEntry.objects.get().state == EntryState.NOT_SENT


class EvidenceTests:
    """What a list may prove depends on when it was read, and whether all of it came."""

    def test_a_list_that_is_older_than_the_request_proves_nothing(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        made = bind(application).binding
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        asked = binding_changes.unbind(made)
        Binding.objects.update(ended_at=timezone.now(), ending=Binding.Ending.VANISHED)
        before = asked.entry.left_at - dt.timedelta(minutes=1)

        assert binding_evidence.settle(application, began=before, is_complete=True) == 0

        asked.refresh_from_db()
        assert asked.entry.state == EntryState.UNKNOWN

    def test_an_answer_without_an_id_gets_its_binding_from_the_list(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        asked = bind(application)
        made = asked.binding
        BindingRequest.objects.update(binding=None)
        Binding.objects.update(pool_number="")

        binding_evidence.settle(application, began=timezone.now(), is_complete=True)

        asked.refresh_from_db()
        assert (asked.binding, asked.binding.pool_number) == (made, "918885")

    def test_that_an_unbind_did_not_arrive_is_not_believed_at_once(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        made = bind(application).binding
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        asked = binding_changes.unbind(made)

        binding_sync.sync(application)

        asked.refresh_from_db()
        assert asked.entry.state == EntryState.UNKNOWN

    @pytest.mark.parametrize(("hours", "state"), [(-1, EntryState.LAPSED), (1, EntryState.UNKNOWN)])
    def test_half_a_list_lapses_an_unbind_only_of_what_has_run_out(
        self, sandbox: RunningSandbox, application: Application, hours: int, state: str
    ) -> None:
        made = bind(application).binding
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        asked = binding_changes.unbind(made)
        Binding.objects.update(expires_at=timezone.now() + dt.timedelta(hours=hours))

        binding_evidence.settle(application, began=timezone.now(), is_complete=False)

        asked.refresh_from_db()
        assert asked.entry.state == state


class UnbindTests:
    def test_it_ends_at_once(self, sandbox: RunningSandbox, application: Application) -> None:
        made = bind(application).binding

        asked = binding_changes.unbind(made)

        made.refresh_from_db()
        assert (asked.entry.state, made.ending) == (EntryState.ACCEPTED, "unbound")
        assert binding_sync.sync(application).gone == 0
        made.refresh_from_db()
        assert made.ending == "unbound"

    def test_a_gateway_that_is_away_leaves_it_bound(
        self, settings: LazySettings, sandbox: RunningSandbox, application: Application
    ) -> None:
        made = bind(application).binding
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
        account.laaffic_client.cache_clear()

        with pytest.raises(ValidationError, match="Nothing was sent"):
            binding_changes.unbind(made)

        made.refresh_from_db()
        assert made.is_live
        assert LedgerEntry.objects.get(interface="unbind").state == EntryState.NOT_SENT

    def test_a_refusal_for_another_reason_leaves_it_bound(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        made = bind(application).binding
        sandbox.set_faults(status="-25", status_calls=1)

        with pytest.raises(ValidationError, match="-25"):
            binding_changes.unbind(made)

        made.refresh_from_db()
        assert made.is_live
        assert LedgerEntry.objects.get(interface="unbind").state == EntryState.REFUSED
        assert binding_changes.unbind(made).entry.state == EntryState.ACCEPTED

    def test_one_that_is_gone_is_said_to_be_and_marked(
        self, sandbox: RunningSandbox, application: Application, door: Door
    ) -> None:
        made = bind(application).binding
        door("bindings/vanish", bind_ids=[made.bind_id])

        with pytest.raises(ValidationError, match=r"no binding \d+ any more \(−24\)"):
            binding_changes.unbind(made)

        made.refresh_from_db()
        assert made.ending == "vanished"
        with pytest.raises(ValidationError, match="gone already"):
            binding_changes.unbind(made)
        assert LedgerEntry.objects.filter(interface="unbind").count() == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a short table as a whole")
def test_what_a_list_denied_is_looked_for_among_the_last_days(application: Application) -> None:
    """Each list asks for it, so it must not take longer with each request and ledger entry that was ever made."""
    denied = BindingRequest.objects.filter(binding_evidence._denied(timezone.now()), application=application)

    plan = denied.select_related("entry").explain()

    assert "binding_request_asked" in plan
    assert "SCAN" not in plan

"""Our copy of Laaffic's bindings: whole, and honest about what it could not see."""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, ClassVar, cast

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.utils import timezone
from django_q.models import OrmQ

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.gateway.services.lists import whole_lists
from laaffic_console.gateway.services.work import leases
from laaffic_console.laaffic import numbers as wire
from laaffic_console.laaffic.numbers import NumbersApi
from laaffic_console.laaffic.pages import Page
from laaffic_console.laaffic.transport import Transport
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import RunningSandbox, running_sandbox
from phone_numbers import jobs
from phone_numbers.models import Binding, BindingRequest, NumberPool, OwnedNumber, SyncStatus
from phone_numbers.services import binding_sync, owned_sync, scheduling, syncing
from phone_numbers.services.syncing import SyncFailed
from tests.numbers.conftest import Door, point_at

pytestmark = pytest.mark.django_db(transaction=True)


class WholeListTests:
    def test_all_pages_come_and_ids_stay_text(
        self, sandbox: RunningSandbox, application: Application, door: Door
    ) -> None:
        made = door("bindings/add", count=250)["bind_ids"]

        result = binding_sync.sync(application)

        assert (result.rows, result.added, result.gone) == (250, 250, 0)
        assert set(Binding.objects.values_list("bind_id", flat=True)) == set(made)
        assert sandbox.stats()["calls"]["/number/pns/queryBindPage"] == 3

    def test_a_second_time_changes_nothing(self, sandbox: RunningSandbox, application: Application, door: Door) -> None:
        door("bindings/add", count=5)
        binding_sync.sync(application)
        first = dict(Binding.objects.values_list("bind_id", "first_seen_at"))

        result = binding_sync.sync(application)

        assert (result.rows, result.added, result.gone) == (5, 0, 0)
        assert dict(Binding.objects.values_list("bind_id", "first_seen_at")) == first

    @pytest.mark.parametrize("written", ["text", "epoch"])
    def test_the_expiry_is_read_however_it_is_written(
        self, settings: LazySettings, application: Application, written: str
    ) -> None:
        with running_sandbox(Options(expire_time=written)) as running:
            point_at(settings, running)
            running._ask("POST", "/sandbox/bindings/add", {"count": 1, "expires_in": 3600})

            binding_sync.sync(application)

            account.laaffic_client.cache_clear()
        left = Binding.objects.get().expires_at - timezone.now()
        assert abs(left.total_seconds() - 3600) < 60

    def test_what_vanished_is_kept_with_when(
        self, sandbox: RunningSandbox, application: Application, door: Door
    ) -> None:
        gone, *_others = door("bindings/add", count=3)["bind_ids"]
        binding_sync.sync(application)
        door("bindings/vanish", bind_ids=[gone])
        before = timezone.now()

        result = binding_sync.sync(application)

        assert result.gone == 1
        vanished = Binding.objects.exclude(ended_at=None).get()
        assert (vanished.bind_id, vanished.ending) == (gone, "vanished")
        assert vanished.ended_at >= before

    def test_what_a_clock_that_was_wrong_saw_later_vanishes_too(
        self, sandbox: RunningSandbox, application: Application, door: Door
    ) -> None:
        gone, *_others = door("bindings/add", count=3)["bind_ids"]
        binding_sync.sync(application)
        Binding.objects.update(last_seen_at=timezone.now() + dt.timedelta(hours=1))
        door("bindings/vanish", bind_ids=[gone])

        assert binding_sync.sync(application).gone == 1

    @pytest.mark.parametrize("hours", [1, -1])
    def test_a_clock_that_is_set_during_the_reading_ends_nothing(
        self,
        sandbox: RunningSandbox,
        application: Application,
        door: Door,
        monkeypatch: pytest.MonkeyPatch,
        hours: int,
    ) -> None:
        door("bindings/add", count=3)
        read, right_now = whole_lists.read_all, timezone.now

        def read_after_the_clock_was_set(*given: Any, **more: Any) -> Any:
            monkeypatch.setattr(timezone, "now", right_now)
            return read(*given, **more)

        monkeypatch.setattr(whole_lists, "read_all", read_after_the_clock_was_set)
        monkeypatch.setattr(timezone, "now", lambda: right_now() + dt.timedelta(hours=hours))

        assert binding_sync.sync(application).gone == 0

        assert Binding.objects.live().count() == 3

    def test_what_ran_out_ended_when_it_was_to(
        self, sandbox: RunningSandbox, application: Application, door: Door
    ) -> None:
        door("bindings/add", count=1)
        binding_sync.sync(application)
        then = timezone.now() - dt.timedelta(minutes=9)
        Binding.objects.update(expires_at=then)
        door("bindings/vanish", count=1)

        binding_sync.sync(application)

        assert Binding.objects.values_list("ending", "ended_at").get() == ("expired", then)

    def test_what_is_back_is_live_again(self, sandbox: RunningSandbox, application: Application, door: Door) -> None:
        door("bindings/add", count=1)
        binding_sync.sync(application)
        Binding.objects.update(ended_at=timezone.now(), ending="vanished")

        binding_sync.sync(application)

        assert Binding.objects.live().count() == 1

    def test_applications_do_not_end_each_others(
        self, sandbox: RunningSandbox, application: Application, door: Door
    ) -> None:
        other = Application.objects.create(app_id="NumApp2", channel="number")
        door("bindings/add", count=2, app_id="NumApp1")
        door("bindings/add", count=3, app_id="NumApp2")

        binding_sync.sync(application)
        binding_sync.sync(other)

        assert Binding.objects.live().filter(application=application).count() == 2
        assert Binding.objects.live().filter(application=other).count() == 3


def test_numbers_that_were_kept_with_a_plus_are_digits(application: Application) -> None:
    made = Binding.objects.create(
        application=application, bind_id="7", phone_a="+919876543210", phone_b="00919876543211", pns_number_a="91 1-2"
    )
    owned = [OwnedNumber.objects.create(number=number) for number in ("+9180001", "+9180002", "9180002")]
    pool = NumberPool.objects.create(pool_number="1", listed_numbers=["+9178605501", "1258"])

    import_module("phone_numbers.migrations.0012_plain_digits").rewrite(apps, None)

    made.refresh_from_db()
    pool.refresh_from_db()
    assert (made.phone_a, made.phone_b, made.pns_number_a) == ("919876543210", "919876543211", "9112")
    assert pool.listed_numbers == ["9178605501", "1258"]
    kept = OwnedNumber.objects.filter(pk__in=[one.pk for one in owned]).order_by("pk")
    assert list(kept.values_list("number", flat=True)) == ["9180001", "+9180002", "9180002"]


@pytest.mark.parametrize("said", [{}, {"expireTime": None}, {"expireTime": "soon"}])
def test_what_a_row_does_not_say_stays_as_it_is_known(application: Application, said: dict[str, Any]) -> None:
    api = NumbersApi(cast("Transport", None))
    whole = {"bindId": 7, "phoneA": "9198", "phoneB": "9199", "pnsNumberA": "91", "pnsNumberB": "92"}
    ends = "2099-10-22 09:00:00"
    binding_sync.write(application, [api._binding(whole | {"expireTime": ends})], began=timezone.now())
    before = Binding.objects.values(*binding_sync.COPIED).get()

    binding_sync.write(application, [api._binding({"bindId": 7, **said})], began=timezone.now())

    assert Binding.objects.values(*binding_sync.COPIED).get() == before
    assert before["expires_at"] is not None


def test_a_row_that_cannot_be_kept_is_still_in_the_list(
    sandbox: RunningSandbox, application: Application, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door("bindings/add", count=3)
    binding_sync.sync(application)
    bad, write = Binding.objects.latest("pk").bind_id, binding_sync.write

    def not_this_one(application: Application, records: Sequence[wire.Binding], **given: Any) -> int:
        if any(record.bind_id == bad for record in records):
            raise ValueError("too long")
        return write(application, records, **given)

    monkeypatch.setattr(binding_sync, "write", not_this_one)

    read = binding_sync.sync(application)

    assert (read.rows, read.unreadable, read.gone, read.is_complete) == (3, 1, 0, False)
    assert Binding.objects.live().count() == 3


class TroubleTests:
    def test_a_refusal_is_said_and_nothing_is_marked(
        self, sandbox: RunningSandbox, application: Application, door: Door
    ) -> None:
        door("bindings/add", count=2)
        binding_sync.sync(application)
        sandbox.set_faults(status="-2", status_calls=1)

        with pytest.raises(SyncFailed, match="IP restricted"):
            binding_sync.sync(application)

        assert Binding.objects.live().count() == 2
        status = SyncStatus.objects.get(name="bindings NumApp1")
        assert "IP whitelist" in status.problem
        assert status.succeeded_at < status.finished_at

    def test_a_system_error_is_asked_again(
        self, sandbox: RunningSandbox, application: Application, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(whole_lists, "PAUSE", 0)
        door("bindings/add", count=2)
        sandbox.set_faults(status="-18", status_calls=2)

        assert binding_sync.sync(application).rows == 2

    def test_two_at_once_are_not_started(self, sandbox: RunningSandbox, application: Application) -> None:
        with (
            leases.lease("numbers sync bindings NumApp1"),
            pytest.raises(SyncFailed, match="being synchronised right now"),
        ):
            binding_sync.sync(application)


def binding(n: int) -> wire.Binding:
    return wire.Binding(str(n), "9198", "9199", "91", "91", None, "")


class MovingListTests:
    """A list that changes while it is read: pages shift under the reader."""

    known: ClassVar[list[str]] = []

    def read(self, *pages: Page[wire.Binding]) -> tuple[bool, list[str]]:
        answers: Iterator[Page[wire.Binding]] = iter(pages)
        taken: list[str] = []

        def take(records: Sequence[wire.Binding]) -> None:
            taken.extend(record.bind_id for record in records)

        seen = whole_lists.read_all(
            lambda current: next(answers),
            take=take,
            name_of=lambda record: record.bind_id,
            is_missing=lambda: not set(self.known) <= set(taken),
        )
        whole = seen.is_complete
        return whole, taken

    def page(self, first: int, count: int, total: int | None, problems: list[str] | None = None) -> Page[wire.Binding]:
        return Page([binding(n) for n in range(first, first + count)], problems or [], total, None, 1)

    def test_a_row_that_slipped_to_a_page_read_before_is_fetched_in_a_second_reading(self) -> None:
        shifted = [self.page(0, 100, 150), self.page(101, 49, 149)]
        quiet = [self.page(1, 100, 149), self.page(101, 49, 149)]

        whole, taken = self.read(*shifted, *quiet)

        assert whole
        assert "100" in taken

    def test_a_list_that_never_rests_proves_nothing(self) -> None:
        shifted = [self.page(0, 100, 150), self.page(101, 49, 149)]

        assert not self.read(*shifted, *shifted, *shifted)[0]

    @pytest.mark.parametrize("is_there", [True, False])
    def test_of_one_that_ends_and_one_that_is_new_the_total_tells_nothing(
        self, monkeypatch: pytest.MonkeyPatch, is_there: bool
    ) -> None:
        """Row 5 has ended and 150 is new: 100 slipped to the page that was read, and there are 150 as before."""
        monkeypatch.setattr(MovingListTests, "known", ["100"])
        shifted = [self.page(0, 100, 150), self.page(101, 50, 150)]
        quiet = [self.page(1, 100, 150), self.page(101, 50, 150)]

        whole, taken = self.read(*shifted, *(quiet if is_there else shifted))

        assert (whole, "100" in taken) == (True, is_there)

    def test_a_row_that_cannot_be_read_might_be_any(self) -> None:
        odd = self.page(0, 1, 2, ["a binding without bindId"])

        assert not self.read(odd, odd, odd)[0]

    def test_without_a_total_an_empty_page_is_the_last(self) -> None:
        pages = [self.page(0, 100, None), self.page(100, 3, None), self.page(103, 9, None), self.page(0, 0, None)]

        assert self.read(*pages) == (True, [str(n) for n in range(112)])

    def test_the_same_page_again_and_again_ends(self) -> None:
        same = self.page(0, 100, None)

        assert not self.read(*[same] * 6)[0]

    def test_an_empty_list_is_a_whole_one(self) -> None:
        assert self.read(self.page(0, 0, 0)) == (True, [])


def test_a_binding_that_was_passed_over_is_live_and_its_unbind_unknown(
    application: Application, sandbox: RunningSandbox, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door("bindings/add", count=150)
    binding_sync.sync(application)
    passed_over = Binding.objects.order_by("pk")[100]
    entry = ledger.prepare(
        interface="pns/unbind", application=application, about_kind="binding request", about_id=None, summary={}
    )
    LedgerEntry.objects.filter(pk=entry.pk).update(
        state=EntryState.UNKNOWN, left_at=timezone.now() - dt.timedelta(hours=1)
    )
    BindingRequest.objects.create(
        verb="unbind", application=application, phone_a="1", phone_b="2", binding=passed_over, entry=entry
    )
    query, asked = NumbersApi.query_bindings, itertools.count(1)

    def moving(api: NumbersApi, **given: Any) -> Page[wire.Binding]:
        page = query(api, **given)
        if next(asked) > 2:
            return page
        kept = [one for one in page.records if one.bind_id != passed_over.bind_id]
        more = [binding(999)] if len(kept) < len(page.records) else []
        return Page([*kept, *more], [], page.total, None, given["current"])

    monkeypatch.setattr(NumbersApi, "query_bindings", moving)
    result = binding_sync.sync(application)

    passed_over.refresh_from_db()
    assert (result.gone, passed_over.is_live) == (0, True)
    assert LedgerEntry.objects.get(pk=entry.pk).state != EntryState.ACCEPTED


class UnfinishedReadingTests:
    def test_what_was_not_seen_stays_and_it_is_said(
        self, sandbox: RunningSandbox, application: Application, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        door("bindings/add", count=2)
        binding_sync.sync(application)
        door("bindings/vanish", count=1)
        monkeypatch.setattr(whole_lists, "read_all", lambda *args, **kwargs: whole_lists.Seen(False, 0))

        result = binding_sync.sync(application)

        assert (result.is_complete, result.gone, Binding.objects.live().count()) == (False, 0, 2)
        assert "not marked as gone" in SyncStatus.objects.get(name="bindings NumApp1").problem


class ScheduleTests:
    def test_it_rings_for_what_is_old(self, sandbox: RunningSandbox, application: Application, door: Door) -> None:
        jobs.sweep()
        rung = [task.task["args"][0] for task in OrmQ.objects.all()]
        assert rung == ["bindings NumApp1", "pools", "owned"]
        OrmQ.objects.all().delete()
        for name in rung:
            jobs.sync(name)

        jobs.sweep()

        assert not OrmQ.objects.exists()
        SyncStatus.objects.filter(name="pools").update(started_at=timezone.now() - dt.timedelta(hours=1))
        jobs.sweep()
        assert [task.task["args"][0] for task in OrmQ.objects.all()] == ["pools"]

    def test_nobody_is_asked_where_nobody_uses_numbers(self, sandbox: RunningSandbox, db: None) -> None:
        jobs.sweep()

        assert not OrmQ.objects.exists()

    def test_a_job_rung_twice_reads_once(self, sandbox: RunningSandbox, application: Application) -> None:
        jobs.sync("pools")
        jobs.sync("pools")

        assert sandbox.stats()["calls"]["/number/queryNumberPool"] == 1

    def test_what_was_asked_for_is_read_although_it_is_fresh(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        jobs.sync("pools")
        syncing.COPIES.request("pools")

        jobs.sync("pools")

        assert sandbox.stats()["calls"]["/number/queryNumberPool"] == 2

    def test_a_request_that_was_forgotten_is_rung_for_again(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        for name in scheduling.names():
            jobs.sync(name)
        syncing.COPIES.request("pools")
        OrmQ.objects.all().delete()
        SyncStatus.objects.filter(name="pools").update(requested_at=timezone.now() - dt.timedelta(minutes=5))

        jobs.sweep()

        assert [task.task["args"][0] for task in OrmQ.objects.all()] == ["pools"]


class OwnedNumberTests:
    def test_they_come_with_their_due_dates(self, sandbox: RunningSandbox, db: None) -> None:
        result = owned_sync.sync()

        assert (result.rows, result.added) == (12, 12)
        first = OwnedNumber.objects.get(number="917860550100")
        assert (first.country, first.calling_code, first.number_type, first.remark) == (
            "India",
            "91",
            "FIXED",
            "Support line",
        )
        assert OwnedNumber.objects.exclude(due_date=None).count() == 12

    def test_what_is_gone_is_kept_with_when(self, sandbox: RunningSandbox, db: None) -> None:
        OwnedNumber.objects.create(number="915555555", last_seen_at=timezone.now() - dt.timedelta(days=1))

        assert owned_sync.sync().gone == 1
        assert OwnedNumber.objects.get(number="915555555").gone_at is not None

"""Number pools: compared before they are sent, confirmed by their number, every version kept, drift seen."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import single_requests
from laaffic_console.sandbox.numbers import NumberInterfaces, Pool
from laaffic_console.sandbox.testing import RunningSandbox
from phone_numbers.models import NumberPool, PoolVersion
from phone_numbers.pool_config import PoolConfig, difference
from phone_numbers.services import pool_changes, pool_sync, scheduling
from phone_numbers.services.syncing import SyncFailed
from tests.numbers.conftest import Door, long_ago

pytestmark = pytest.mark.django_db(transaction=True)

NEW = PoolConfig("918885", ("192.168.10.17", "10.0.0.9"), 50, ("9178605502", "9178605503"))


@pytest.fixture
def pool(sandbox: RunningSandbox, application: Application) -> NumberPool:
    pool_sync.sync()
    return NumberPool.objects.get(pool_number="918885")


def pools_at_laaffic(sandbox: RunningSandbox) -> dict[str, Pool]:
    (family,) = (family for family in sandbox.sandbox.families if isinstance(family, NumberInterfaces))
    return family.pools


def at_laaffic(sandbox: RunningSandbox, number: str = "918885") -> tuple[str, int, list[str]]:
    pool = pools_at_laaffic(sandbox)[number]
    return pool.whitelist, pool.concurrency, pool.numbers


def problems_of(entry: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        entry()
    found = caught.value
    return found.message_dict if hasattr(found, "error_dict") else {"__all__": found.messages}


class ReadTests:
    GOOD = {"pool_number": "918885", "whitelist": "10.0.0.1", "max_concurrency": 99, "numbers": "9178605501"}

    def test_duplicates_are_removed_and_said(self) -> None:
        read = pool_changes.read(
            **{**self.GOOD, "numbers": "9178605501\n9178605501", "whitelist": "10.0.0.1,10.0.0.1"},
            file=b"number\n9178605502\n9178605501\n",
        )

        assert read.config.numbers == ("9178605501", "9178605502")
        assert read.duplicate_numbers == ("9178605501", "9178605501")
        assert read.duplicate_addresses == ("10.0.0.1",)

    @pytest.mark.parametrize(
        ("field", "value", "why"),
        [
            ("whitelist", "10.0.0.300", "four numbers from 0 to 255"),
            ("whitelist", ",".join(f"10.10.{n}.100" for n in range(100, 116)), "Laaffic takes 200"),
            ("whitelist", "", "There is no address"),
            ("max_concurrency", -1, "0 to 9,999"),
            ("max_concurrency", 10_000, "0 to 9,999"),
            ("max_concurrency", None, "0 to 9,999"),
            ("numbers", "12", "2 digits"),
            ("pool_number", "", "1 to 20 characters"),
            ("pool_number", "9" * 21, "1 to 20 characters"),
        ],
    )
    @pytest.mark.django_db
    def test_each_mistake_is_at_its_field(self, field: str, value: Any, why: str) -> None:
        found = problems_of(lambda: pool_changes.read(**{**self.GOOD, field: value}))

        assert list(found) == [field]
        assert why in found[field][0]

    def test_all_mistakes_are_named_at_once(self) -> None:
        bad = {"pool_number": "", "whitelist": "x", "max_concurrency": -1, "numbers": "1"}

        assert len(problems_of(lambda: pool_changes.read(**bad, file=b""))) == 5

    def test_another_pools_number_is_taken(self, pool: NumberPool) -> None:
        other = NumberPool.objects.get(pool_number="442000")

        assert "already" in problems_of(lambda: pool_changes.read(**self.GOOD, pool=other))["pool_number"][0]


class HeldAsItIsTests:
    """What Laaffic holds in a form that nobody could type here can be kept, and the rest edited."""

    @pytest.mark.parametrize("whitelist", ["sip.example.com,10.0.0.1", "sip-1.example.com", "10.0.0.0/24", "::1", ""])
    def test_the_concurrency_of_such_a_pool_can_be_edited(
        self, sandbox: RunningSandbox, pool: NumberPool, whitelist: str
    ) -> None:
        held = pools_at_laaffic(sandbox)["918885"]
        held.whitelist, held.numbers = whitelist, ["1258", "9178605501"]
        pool_sync.sync()
        pool.refresh_from_db()

        read = pool_changes.read(
            pool_number="918885", whitelist=whitelist, max_concurrency=7, numbers="9178605501\n1258", pool=pool
        )
        pool_changes.apply(pool, read.config, typed="918885")

        assert at_laaffic(sandbox)[:2] == (whitelist, 7)
        assert set(at_laaffic(sandbox)[2]) == {"1258", "9178605501"}

    def test_another_name_is_still_refused(self, sandbox: RunningSandbox, pool: NumberPool) -> None:
        pools_at_laaffic(sandbox)["918885"].whitelist = "sip.example.com"
        pool_sync.sync()
        pool.refresh_from_db()
        typed = {"pool_number": "918885", "max_concurrency": 7, "numbers": "12"}

        found = problems_of(lambda: pool_changes.read(**typed, whitelist="sip.example.com,www.example.com", pool=pool))

        assert [*found] == ["whitelist", "numbers"]
        assert "www.example.com" in found["whitelist"][0]


class SyncTests:
    def test_pools_that_are_new_to_us_become_ours(self, pool: NumberPool) -> None:
        version = pool.current

        assert (version.number, version.origin, version.entry) == (1, "found", None)
        assert pool.listed == version.config
        assert pool_sync.sync().added == 0
        assert PoolVersion.objects.count() == 2

    @pytest.mark.parametrize("told", [None, "unlimited"])
    def test_a_concurrency_that_cannot_be_read_changes_and_denies_nothing(
        self, pool: NumberPool, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, told: str | None
    ) -> None:
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        lost = pool_changes.apply(pool, NEW, typed="918885")
        long_ago()
        as_listed = Pool.as_record
        monkeypatch.setattr(Pool, "as_record", lambda listed: as_listed(listed) | {"maxConcurrency": told})

        read = pool_sync.sync()

        lost.refresh_from_db()
        pool.refresh_from_db()
        assert (read.unreadable, read.gone, lost.entry.state) == (2, 0, EntryState.UNKNOWN)
        assert (pool.listed.max_concurrency, pool.current.max_concurrency) == (99, 99)

    def test_it_is_read_for_what_is_unknown_when_nobody_uses_numbers_any_more(
        self, pool: NumberPool, sandbox: RunningSandbox
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        lost = pool_changes.apply(pool, NEW, typed="918885")
        Application.objects.update(is_active=False)
        assert scheduling.names() == ["pools"]

        scheduling.sync("pools")

        lost.refresh_from_db()
        assert (lost.entry.state, scheduling.names()) == (EntryState.ACCEPTED, [])

    def test_drift_is_marked_and_kept_until_it_ends(self, pool: NumberPool, door: Door) -> None:
        door("pools/drift", pool_number="918885", max_concurrency=7, numbers=["9178605502", "9178605599"])

        pool_sync.sync()

        pool.refresh_from_db()
        first_seen = pool.drifted_at
        assert first_seen is not None
        found = difference(pool.current.config, pool.listed)
        assert (found.concurrency, found.added_numbers, found.removed_numbers) == (
            (99, 7),
            ("9178605599",),
            ("9178605501",),
        )
        pool_sync.sync()
        pool.refresh_from_db()
        assert pool.drifted_at == first_seen
        door("pools/drift", pool_number="918885", max_concurrency=99, numbers=["9178605502", "9178605501"])
        pool_sync.sync()
        pool.refresh_from_db()
        assert pool.drifted_at is None

    def test_a_pool_that_is_gone_is_kept_and_can_be_made_again(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        del pools_at_laaffic(sandbox)["918885"]
        assert pool_sync.sync().gone == 1
        pool.refresh_from_db()
        assert (pool.gone_at is not None, pool.listed) == (True, None)

        again = pool_changes.apply_version(pool.current, typed="918885")

        assert again.entry.interface == "createNumberPool"
        pool.refresh_from_db()
        assert (pool.gone_at, pool.current) == (None, again)
        assert at_laaffic(sandbox) == ("192.168.10.17,192.168.10.18", 99, ["9178605501", "9178605502"])


class ApplyTests:
    def test_it_is_sent_and_kept_with_who_when_and_ledger_row(
        self, pool: NumberPool, sandbox: RunningSandbox, db: None
    ) -> None:
        ada = User.objects.create_user("ada")

        sent = pool_changes.apply(pool, NEW, typed="918885", seen_version=pool.current_id, by=ada)

        assert at_laaffic(sandbox) == ("192.168.10.17,10.0.0.9", 50, ["9178605502", "9178605503"])
        assert (sent.number, sent.origin, sent.created_by) == (2, "edited", ada)
        assert (sent.entry.state, sent.entry.requested_by, sent.entry.about_id) == ("accepted", ada, pool.pk)
        assert sent.entry.summary == {
            "pool": "918885",
            "version": 2,
            "numbers": 2,
            "added": 1,
            "removed": 1,
            "concurrency": 50,
        }
        pool.refresh_from_db()
        assert (pool.current, pool.listed) == (sent, NEW)

    def test_an_earlier_version_is_applied_again(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        first = pool.current
        pool_changes.apply(pool, NEW, typed="918885")

        again = pool_changes.apply_version(first, typed="918885")

        assert (again.number, again.origin, again.again) == (3, "reapplied", 1)
        assert at_laaffic(sandbox) == ("192.168.10.17,192.168.10.18", 99, ["9178605501", "9178605502"])

    def test_renaming_says_the_old_number(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        renamed = PoolConfig("918886", NEW.addresses, 50, NEW.numbers)

        assert "918885" in problems_of(lambda: pool_changes.apply(pool, renamed, typed="918886"))["typed"][0]
        sent = pool_changes.apply(pool, renamed, typed="918885")

        assert (sent.old_pool_number, sorted(pools_at_laaffic(sandbox))) == ("918885", ["442000", "918886"])
        assert pool_sync.sync().added == 0
        pool.refresh_from_db()
        assert (pool.pool_number, pool.drifted_at) == ("918886", None)

    def test_it_is_not_given_the_number_of_another(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        taken = PoolConfig("442000", NEW.addresses, 50, NEW.numbers)

        found = problems_of(lambda: pool_changes.apply(pool, taken, typed="918885"))

        assert found["pool_number"] == ["There is a pool 442000 already."]
        assert not LedgerEntry.objects.exists()
        assert sorted(pools_at_laaffic(sandbox)) == ["442000", "918885"]

    def test_the_wrong_number_typed_sends_nothing(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        found = problems_of(lambda: pool_changes.apply(pool, NEW, typed="91888"))

        assert "Type 918885" in found["typed"][0]
        assert not LedgerEntry.objects.exists()
        assert pool.versions.count() == 1

    def test_a_newer_version_stops_who_has_not_seen_it(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        seen = pool.current_id
        pool_changes.apply(pool, NEW, typed="918885", seen_version=seen, by=User.objects.create_user("bo"))

        other = PoolConfig("918885", NEW.addresses, 1, NEW.numbers)
        found = problems_of(lambda: pool_changes.apply(pool, other, typed="918885", seen_version=seen))

        assert "bo has changed this pool in the meantime" in found["__all__"][0]
        assert at_laaffic(sandbox)[1] == 50

    def test_nothing_to_change_is_not_sent(self, pool: NumberPool) -> None:
        found = problems_of(lambda: pool_changes.apply(pool, pool.listed, typed="918885"))

        assert "nothing to change" in found["__all__"][0]
        assert not LedgerEntry.objects.exists()

    def test_a_refusal_keeps_the_version_and_changes_nothing(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(status="-24", status_calls=1)

        found = problems_of(lambda: pool_changes.apply(pool, NEW, typed="918885"))

        assert "−24" in found["__all__"][0]
        pool.refresh_from_db()
        assert pool.current.number == 1
        assert pool.versions.get(number=2).entry.state == EntryState.REFUSED
        assert pool_changes.apply(pool, NEW, typed="918885").number == 3


class CreateTests:
    OTHER = PoolConfig("918000", ("10.0.0.1",), 5, ("9178600001",))

    def test_a_new_pool(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        made = pool_changes.create(self.OTHER, typed="918000")

        assert (made.origin, made.entry.interface) == ("created", "createNumberPool")
        assert at_laaffic(sandbox, "918000") == ("10.0.0.1", 5, ["9178600001"])
        assert pool_sync.sync().added == 0

    def test_one_that_laaffic_has_and_does_not_list_is_replaced(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        """A gateway may serve editNumberPool and no list of pools."""
        made = pool_changes.create(NEW, typed="918885", is_at_laaffic=True)

        assert (made.origin, made.entry.interface, made.entry.state) == ("edited", "editNumberPool", "accepted")
        assert at_laaffic(sandbox) == (NEW.whitelist, 50, [*NEW.numbers])
        pool_changes.apply(made.pool, replace(NEW, max_concurrency=51), typed="918885")
        assert at_laaffic(sandbox)[1] == 51
        pool_sync.sync()
        assert NumberPool.objects.get(pool_number="918885").drifted_at is None

    def test_a_lost_edit_of_one_that_is_not_listed_stays_unknown(
        self, sandbox: RunningSandbox, application: Application
    ) -> None:
        """The list lacked it before, so that it lacks it now says nothing about the edit."""
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        made = pool_changes.create(NEW, typed="918885", is_at_laaffic=True)
        del pools_at_laaffic(sandbox)["918885"]
        long_ago()

        pool_sync.sync()

        made.entry.refresh_from_db()
        assert made.entry.state == EntryState.UNKNOWN

    def test_one_that_laaffic_does_not_have_is_not_made_by_that(self, sandbox: RunningSandbox) -> None:
        found = problems_of(lambda: pool_changes.create(self.OTHER, typed="918000", is_at_laaffic=True))

        assert "−24" in found["__all__"][0]
        assert "918000" not in pools_at_laaffic(sandbox)

    def test_any_other_refusal_is_said_as_it_was_told(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(status="-3", status_calls=1)

        found = problems_of(lambda: pool_changes.create(self.OTHER, typed="918000"))

        assert "-3" in found["__all__"][0].replace("−", "-")
        assert "918000" not in pools_at_laaffic(sandbox)

    def test_one_that_was_refused_can_be_tried_again(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(status="-20", status_calls=1)
        found = problems_of(lambda: pool_changes.create(self.OTHER, typed="918000"))
        assert "−20" in found["pool_number"][0]

        pool_changes.create(self.OTHER, typed="918000")

        assert NumberPool.objects.filter(pool_number="918000").count() == 1

    def test_one_whose_answer_was_lost_is_found_and_not_made_twice(
        self, pool: NumberPool, sandbox: RunningSandbox
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        made = pool_changes.create(self.OTHER, typed="918000")
        assert made.entry.state == EntryState.UNKNOWN
        assert "already" in problems_of(lambda: pool_changes.create(self.OTHER, typed="918000"))["pool_number"][0]

        assert pool_sync.sync().added == 0

        made.refresh_from_db()
        assert (made.entry.state, made.pool.current) == (EntryState.ACCEPTED, made)


class LostAnswerTests:
    @pytest.mark.parametrize("number", ["918885", "918886"])
    def test_the_list_shows_that_it_was_applied(self, pool: NumberPool, sandbox: RunningSandbox, number: str) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        config = PoolConfig(number, NEW.addresses, 50, NEW.numbers)
        sent = pool_changes.apply(pool, config, typed="918885")
        assert sent.entry.state == EntryState.UNKNOWN
        found = problems_of(lambda: pool_changes.apply(pool, NEW, typed="918885"))
        assert "is not known yet" in found["__all__"][0]

        pool_sync.sync()

        pool.refresh_from_db()
        sent.refresh_from_db()
        assert (sent.entry.state, pool.current, pool.pool_number) == (EntryState.ACCEPTED, sent, number)
        assert (pool.drifted_at, NumberPool.objects.count()) == (None, 2)
        assert sandbox.stats()["calls"]["/number/editNumberPool"] == 1

    def test_that_it_was_not_is_believed_after_a_minute(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        sent = pool_changes.apply(pool, NEW, typed="918885")
        pool_sync.sync()
        sent.refresh_from_db()
        assert sent.entry.state == EntryState.UNKNOWN
        long_ago()

        pool_sync.sync()

        sent.refresh_from_db()
        pool.refresh_from_db()
        assert (sent.entry.state, pool.current.number, pool.drifted_at) == (EntryState.REFUSED, 1, None)
        assert sandbox.stats()["calls"]["/number/editNumberPool"] == 1

    def test_what_only_a_later_list_shows_was_changed(self, pool: NumberPool, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        sent = pool_changes.apply(pool, NEW, typed="918885")
        long_ago()
        pool_sync.sync()
        sent.refresh_from_db()
        assert sent.entry.state == EntryState.REFUSED
        there = pools_at_laaffic(sandbox)["918885"]
        there.whitelist, there.concurrency, there.numbers = NEW.whitelist, NEW.max_concurrency, list(NEW.numbers)

        pool_sync.sync()

        sent.refresh_from_db()
        pool.refresh_from_db()
        assert (sent.entry.state, pool.current, pool.drifted_at) == (EntryState.ACCEPTED, sent, None)

    @pytest.mark.parametrize(("is_followed", "current"), [(False, 2), (True, 3)])
    def test_an_answer_that_comes_after_a_newer_version_leaves_that_one(
        self, pool: NumberPool, monkeypatch: pytest.MonkeyPatch, is_followed: bool, current: int
    ) -> None:
        send = single_requests.send

        def late(entry: LedgerEntry, request: Any) -> Any:
            answer = send(entry, request)
            LedgerEntry.objects.filter(pk=entry.pk).update(state=EntryState.REFUSED, evidence_kind="list")
            monkeypatch.setattr(single_requests, "send", send)
            if is_followed:
                pool_changes.apply(pool, replace(NEW, max_concurrency=7), typed="918885")
            return answer

        monkeypatch.setattr(single_requests, "send", late)

        sent = pool_changes.apply(pool, NEW, typed="918885")

        pool.refresh_from_db()
        assert (sent.number, sent.entry.state, pool.current.number) == (2, EntryState.ACCEPTED, current)

    def test_a_list_that_is_older_than_the_request_proves_nothing(
        self, pool: NumberPool, sandbox: RunningSandbox
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        sent = pool_changes.apply(pool, NEW, typed="918885")
        before = sent.entry.left_at - dt.timedelta(minutes=1)

        assert pool_sync.settle_unknown({"918885": NEW}, began=before, is_complete=True) == 0

        sent.refresh_from_db()
        assert sent.entry.state == EntryState.UNKNOWN


class CompareTests:
    def test_what_was_changed_while_the_list_was_read_is_not_drift(self, pool: NumberPool) -> None:
        before = pool.listed_at - dt.timedelta(minutes=1)

        assert not pool_sync.compare(NEW, before)

        pool.refresh_from_db()
        assert (pool.drifted_at, pool.listed == NEW) == (None, False)

    def test_one_that_was_renamed_while_the_list_was_read_is_not_found_under_its_old_number(
        self, pool: NumberPool
    ) -> None:
        began, held = timezone.now(), pool.listed
        pool_changes.apply(pool, replace(NEW, pool_number="918886"), typed="918885")

        assert not pool_sync.compare(held, began)
        assert not NumberPool.objects.filter(pool_number="918885").exists()
        assert pool_sync.compare(held, timezone.now())  # a list that was read after it: another pool has it by now

    def test_one_that_seemed_refused_and_is_there_otherwise_becomes_ours(
        self, pool: NumberPool, sandbox: RunningSandbox
    ) -> None:
        config = PoolConfig("918000", NEW.addresses, 50, NEW.numbers)
        sandbox.set_faults(next_fault="reset_before", next_calls=1)
        made = pool_changes.create(config, typed="918000")
        assert not pool_sync.compare(config, timezone.now())  # asked for, and not known yet: its request tells
        long_ago()
        pool_sync.sync()
        made.refresh_from_db()
        assert (made.entry.state, made.pool.current) == (EntryState.REFUSED, None)

        pool_sync.compare(PoolConfig("918000", NEW.addresses, 7, NEW.numbers), timezone.now())

        made.pool.refresh_from_db()
        assert (made.pool.current.origin, made.pool.current.max_concurrency) == ("found", 7)


class AdoptTests:
    def test_laaffics_becomes_ours_without_a_call(self, pool: NumberPool, door: Door) -> None:
        door("pools/drift", pool_number="918885", max_concurrency=7)
        pool_sync.sync()

        version = pool_changes.adopt(pool)

        pool.refresh_from_db()
        assert (version.number, version.origin, version.max_concurrency) == (2, "adopted", 7)
        assert (pool.current, pool.drifted_at) == (version, None)
        assert not LedgerEntry.objects.exists()
        assert "no difference" in problems_of(lambda: pool_changes.adopt(pool))["__all__"][0]


def test_a_list_that_there_is_not_is_said_so(application: Application) -> None:
    with pytest.raises(SyncFailed, match="Unknown list “birds”"):
        scheduling.sync("birds")


def test_a_gateway_that_is_away_took_no_pool(pool: NumberPool, settings: LazySettings) -> None:
    settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
    account.laaffic_client.cache_clear()

    found = problems_of(lambda: pool_changes.create(CreateTests.OTHER, typed="918000"))

    assert found["__all__"][0].startswith("Nothing was sent")
    assert LedgerEntry.objects.latest("pk").state == EntryState.NOT_SENT


def test_of_two_who_create_it_at_the_same_moment_one_is_told(pool: NumberPool, monkeypatch: pytest.MonkeyPatch) -> None:
    config = pool.listed
    assert config is not None
    monkeypatch.setattr(pool_changes, "_is_taken", lambda *given: False)  # it was free a moment ago

    with pytest.raises(ValidationError, match="There is a pool 918885 already"):
        pool_changes.create(config, typed="918885")

"""At most one holder of a name at a time."""

import datetime as dt
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from laaffic_console.gateway import jobs
from laaffic_console.gateway.models import Lease
from laaffic_console.gateway.services.lists.list_copies import Reading, SyncFailed
from laaffic_console.gateway.services.work import leases, workers

pytestmark = pytest.mark.django_db


def run_out(name: str) -> None:
    Lease.objects.filter(name=name).update(until=timezone.now() - dt.timedelta(seconds=1))


class ForgettingTests:
    def test_what_was_given_back_long_ago_is_removed(self) -> None:
        ages = {"old": dt.timedelta(hours=2), "new": dt.timedelta(minutes=50)}
        for name, age in ages.items():
            with leases.lease(name):
                pass
            Lease.objects.filter(name=name).update(until=timezone.now() - age)
        leases.take("dead worker's")
        Lease.objects.filter(name="dead worker's").update(until=timezone.now() - ages["old"])

        jobs.sweep()

        assert set(Lease.objects.values_list("name", flat=True)) >= {"new", "dead worker's", workers.SWEPT}
        assert not Lease.objects.filter(name="old").exists()
        assert leases.take("old") is not None

    @pytest.mark.parametrize("seen_before", [True, False])
    def test_one_that_is_removed_while_it_is_taken_is_nobodys(
        self, monkeypatch: pytest.MonkeyPatch, seen_before: bool
    ) -> None:
        """Between the looks of who takes it: where it had been, or where another had just begun it."""
        named, times = leases._named, [seen_before, not seen_before]

        def forgotten_after(model: type[Lease], name: str) -> Lease | None:
            if not times:
                return named.first(model, name=name)
            if is_there := times.pop(0):
                Lease.objects.get_or_create(name=name, defaults={"until": timezone.now(), "token": ""})
            found = named.first(model, name=name)
            Lease.objects.filter(name=name).delete()
            return found if is_there else None

        monkeypatch.setattr(leases, "_named", SimpleNamespace(first=forgotten_after))

        assert leases.take("inbox") is not None


class TakeTests:
    def test_a_held_lease_is_not_taken_again(self) -> None:
        first = leases.take("sweep")

        second = leases.take("sweep")

        assert first is not None
        assert second is None
        assert leases.holder("sweep") == first.token

    def test_two_names_do_not_hinder_each_other(self) -> None:
        held = leases.take("campaign:1"), leases.take("campaign:2")

        assert all(held)

    def test_a_lease_that_ran_out_is_taken_over(self) -> None:
        leases.take("sweep")
        run_out("sweep")

        assert not leases.is_held("sweep")
        assert leases.take("sweep") is not None
        assert leases.is_held("sweep")

    def test_a_killed_worker_is_found_within_half_a_minute(self) -> None:
        leases.take("sweep")

        left = Lease.objects.get().until - timezone.now()

        assert dt.timedelta(seconds=10) < left < dt.timedelta(seconds=30)


class RenewTests:
    def test_renewing_pushes_the_end_out(self) -> None:
        held = leases.take("sweep")
        assert held is not None
        run_out("sweep")

        assert held.renew()

        assert leases.is_held("sweep")

    def test_who_lost_it_is_told_and_harms_nobody(self) -> None:
        lost = leases.take("sweep")
        run_out("sweep")
        taken = leases.take("sweep")
        assert lost is not None
        assert taken is not None

        assert not lost.renew()
        lost.release()

        assert leases.holder("sweep") == taken.token


class ContextTests:
    def test_it_is_given_back_at_the_end(self) -> None:
        with leases.lease("inbox") as held:
            assert held is not None
            with leases.lease("inbox") as other:
                assert other is None
            assert leases.is_held("inbox")

        assert not leases.is_held("inbox")

    def test_it_is_given_back_after_an_error(self) -> None:
        with pytest.raises(ZeroDivisionError), leases.lease("inbox"):
            _ = 1 / 0

        assert leases.take("inbox") is not None

    def test_nobody_holds_what_was_never_taken(self) -> None:
        assert leases.holder("nothing") == ""


class WrongClockTests:
    """A machine whose clock was an hour ahead for a moment wrote this; nobody waits an hour for it."""

    @pytest.mark.parametrize("ahead", [dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=400)])
    def test_a_lease_that_ends_further_ahead_than_it_is_long_has_run_out(self, ahead: dt.timedelta) -> None:
        leases.take("sweep")
        Lease.objects.filter(name="sweep").update(until=timezone.now() + ahead)

        assert not leases.is_held("sweep")
        assert leases.holder("sweep") == ""
        assert leases.take("sweep") is not None
        assert leases.is_held("sweep")

    def test_a_long_lease_is_believed_for_as_long_as_it_is(self) -> None:
        held = leases.take("upload", 600)

        assert held is not None
        assert held.renew()
        assert leases.is_held("upload")
        assert leases.take("upload", 5) is None

    def test_the_machines_own_clock_has_no_say_on_postgresql(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has no clock of its own")
        an_hour_ahead = timezone.now() + dt.timedelta(hours=1)
        monkeypatch.setattr(timezone, "now", lambda: an_hour_ahead)

        leases.take("sweep")

        monkeypatch.undo()
        assert Lease.objects.get().until < timezone.now() + dt.timedelta(seconds=60)


def test_a_reading_whose_lease_was_taken_over_stops() -> None:
    reading = Reading(timezone.now(), leases.HeldLease("list", "not ours", 20), None)

    with pytest.raises(SyncFailed, match="Another worker"):
        reading.go_on()

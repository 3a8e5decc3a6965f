"""What is done to bindings and pools while our copy of Laaffic's list is written."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.laaffic import numbers as wire
from laaffic_console.laaffic.pages import Page
from phone_numbers.models import Binding, NumberPool
from phone_numbers.pool_config import PoolConfig
from phone_numbers.services import binding_changes, binding_sync, pool_changes, pool_sync
from tests.interleaving import Ending, Scene, Stage, interleave
from tests.interleavings import rows
from tests.interleavings.test_campaigns import only


class Laaffic:
    """What it has of one binding, as each act finds it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bindings: dict[str, wire.Binding] = {}
        self.pools: dict[str, wire.NumberPool] = {}
        client = lambda: SimpleNamespace(numbers=self)  # noqa: E731
        for module in (binding_changes, binding_sync, pool_changes, pool_sync):
            monkeypatch.setattr(module, "laaffic_client", client)

    def query_bindings(self, *, app_id: str, current: int, size: int) -> Page[wire.Binding]:
        return page(list(self.bindings.values()) if current == 1 else [])

    def unbind(self, *, app_id: str, bind_id: str) -> None:
        del self.bindings[bind_id]

    def query_pools(self, *, current: int, size: int) -> Page[wire.NumberPool]:
        return page(list(self.pools.values()) if current == 1 else [])

    def edit_pool(self, *, old_pool_number: str, pool_number: str, **given: Any) -> None:
        del self.pools[old_pool_number]
        self.pools[pool_number] = pool_record(pool_number, given["whitelist"], given["max_concurrency"])


def page(records: list[Any]) -> Page[Any]:
    return Page(records=records, problems=[], total=None, pages=1, current=1)


def pool_record(number: str, whitelist: tuple[str, ...], concurrency: int) -> wire.NumberPool:
    return wire.NumberPool(pool_number=number, whitelist=[*whitelist], max_concurrency=concurrency, numbers=[])


@pytest.fixture
def laaffic(monkeypatch: pytest.MonkeyPatch) -> Laaffic:
    return Laaffic(monkeypatch)


def test_a_binding_that_was_ended_stays_ended(on: Stage, laaffic: Laaffic) -> None:
    def make() -> Scene:
        app = rows.application("number")
        a, b, bind_id = rows.number(), rows.number(), rows.name()
        now = timezone.now()
        binding = Binding.objects.create(
            application=app, bind_id=bind_id, phone_a=a, phone_b=b, first_seen_at=now, last_seen_at=now
        )
        laaffic.bindings = {
            bind_id: wire.Binding(
                bind_id=bind_id, phone_a=a, phone_b=b, pns_number_a="", pns_number_b="", expires_at=None, expire_time=""
            )
        }

        def check(unbound: Ending, synchronised: Ending) -> None:
            only(unbound, ValidationError)
            only(synchronised)
            binding.refresh_from_db()
            assert unbound.passed
            assert not binding.is_live
            assert binding.ending == Binding.Ending.UNBOUND

        return Scene(lambda: binding_changes.unbind(binding), lambda: binding_sync.sync(app), check)

    interleave(on, make)


@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_pool_that_was_changed_is_as_it_was_asked_for(on: Stage, laaffic: Laaffic, is_renamed: bool) -> None:
    def make() -> Scene:
        NumberPool.objects.filter(gone_at=None).update(gone_at=timezone.now())
        number = rows.name()[-12:]
        to = rows.name()[-12:] if is_renamed else number
        laaffic.pools = {number: pool_record(number, ("10.0.0.1",), 3)}
        pool_sync.compare(PoolConfig.of(number, "10.0.0.1", 3, ()), timezone.now())
        pool = NumberPool.objects.get(pool_number=number)
        wanted = PoolConfig.of(to, "10.0.0.1", 7, ())

        def check(applied: Ending, synchronised: Ending) -> None:
            only(applied, ValidationError)
            only(synchronised)
            pool.refresh_from_db()
            assert applied.passed
            assert pool.current is not None
            assert pool.current.config == wanted
            pool_sync.sync()
            pool.refresh_from_db()
            assert pool.gone_at is None
            assert pool.listed == wanted
            assert pool.drifted_at is None
            assert NumberPool.objects.filter(pool_number=to, gone_at=None).count() == 1

        return Scene(lambda: pool_changes.apply(pool, wanted, typed=number), pool_sync.sync, check)

    interleave(on, make)

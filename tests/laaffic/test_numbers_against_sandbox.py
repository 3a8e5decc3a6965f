"""The client's numbers against a gateway of other hands: over HTTP, pages, limits, faults."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from laaffic_console.laaffic import (
    BindingKind,
    InvalidRequest,
    LaafficClient,
    NumberState,
    OutcomeUnknown,
    Refused,
    Remedy,
)
from laaffic_console.sandbox.testing import RunningSandbox
from tests.laaffic.against_sandbox import client_of, door, every

APP_ID = "4luaKsL2"


@pytest.fixture
def sandbox(start_sandbox: Callable[..., RunningSandbox]) -> RunningSandbox:
    return start_sandbox()


@pytest.fixture
def client(sandbox: RunningSandbox) -> LaafficClient:
    return client_of(sandbox)


def bind(client: LaafficClient, index: int = 0, **changed: Any) -> Any:
    asked = {
        "app_id": APP_ID,
        "phone_a": f"91502702{index:04d}",
        "phone_b": f"91502703{index:04d}",
        "pool_number": "442000",
        "expires_in": 600,
    }
    return client.numbers.bind(**(asked | changed))


class BindingTests:
    def test_a_binding_is_made_seen_and_undone(self, client: LaafficClient) -> None:
        before = dt.datetime.now(dt.UTC)

        made = bind(client)

        [seen] = client.numbers.query_bindings(app_id=APP_ID).records
        assert (seen.bind_id, seen.phone_a, seen.phone_b) == (made.bind_id, "915027020000", "915027030000")
        assert seen.pns_number_a == seen.pns_number_b == made.pns_number_a
        assert seen.expires_at is not None
        assert abs(seen.expires_at - before - dt.timedelta(seconds=600)) < dt.timedelta(seconds=5)
        client.numbers.unbind(app_id=APP_ID, bind_id=made.bind_id)
        assert client.numbers.query_bindings(app_id=APP_ID).records == []

    def test_axxb_gives_each_a_number_of_their_own(self, client: LaafficClient) -> None:
        made = bind(client, kind=BindingKind.AXXB)

        assert made.pns_number_a != made.pns_number_b

    def test_every_page_is_walked(self, start_sandbox: Callable[..., RunningSandbox]) -> None:
        client = client_of(start_sandbox(bindings=250))

        assert len({binding.bind_id for binding in every(client.numbers.query_bindings)}) == 250
        assert client.numbers.query_bindings(current=3).total == 250
        assert len(client.numbers.query_bindings(current=3).records) == 50

    @pytest.mark.parametrize("style", ["datetime", "epoch"])
    def test_either_way_of_writing_the_end_is_the_same_moment(
        self, start_sandbox: Callable[..., RunningSandbox], style: str
    ) -> None:
        client = client_of(start_sandbox(expire_time=style))
        bind(client)

        [seen] = client.numbers.query_bindings().records

        left = (seen.expires_at - dt.datetime.now(dt.UTC)).total_seconds()
        assert 590 < left <= 601

    def test_who_is_bound_already_is_refused(self, client: LaafficClient) -> None:
        bind(client)

        with pytest.raises(Refused, match="A or B is bound already") as refused:
            bind(client)

        assert (refused.value.code, refused.value.calls_for) == ("-35", Remedy.FATAL)

    def test_a_pool_that_is_used_up_may_be_tried_later(self, client: LaafficClient) -> None:
        bind(client, 0, pool_number="918885", kind=BindingKind.AXXB)

        with pytest.raises(Refused, match="no middle number is free") as refused:
            bind(client, 1, pool_number="918885")

        assert (refused.value.code, refused.value.calls_for) == ("-41", Remedy.RETRY)

    def test_what_has_expired_is_gone(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        made = bind(client)
        door(sandbox, "/clock", seconds=601)

        assert client.numbers.query_bindings().records == []
        with pytest.raises(Refused, match="no such binding") as refused:
            client.numbers.unbind(app_id=APP_ID, bind_id=made.bind_id)
        assert refused.value.code == "-24"

    def test_what_somebody_else_removed_is_gone(self, start_sandbox: Callable[..., RunningSandbox]) -> None:
        sandbox = start_sandbox(bindings=5)
        client = client_of(sandbox)
        gone = door(sandbox, "/bindings/vanish", count=2)["vanished"]

        left = [binding.bind_id for binding in client.numbers.query_bindings().records]

        assert len(left) == 3
        assert not set(left) & set(gone)

    def test_a_lost_answer_is_unknown_and_the_binding_is_there(
        self, sandbox: RunningSandbox, client: LaafficClient
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)

        with pytest.raises(OutcomeUnknown):
            bind(client)

        assert [binding.phone_a for binding in client.numbers.query_bindings().records] == ["915027020000"]

    def test_a_read_is_struck_where_its_path_is_named(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        sandbox.set_faults(paths=["/number/pns/queryBindPage"], next_fault="half_json", next_calls=1)

        with pytest.raises(OutcomeUnknown):
            client.numbers.query_bindings()
        assert client.numbers.query_bindings().records == []


class PoolTests:
    def pool(self, client: LaafficClient, number: str) -> Any:
        return next((pool for pool in every(client.numbers.query_pools) if pool.pool_number == number), None)

    def test_a_pool_is_created_edited_and_renamed(self, client: LaafficClient) -> None:
        client.numbers.create_pool(
            pool_number="777", whitelist=["192.168.10.17"], max_concurrency=9, numbers=["9178605501"]
        )
        client.numbers.edit_pool(
            old_pool_number="777",
            pool_number="778",
            whitelist=["192.168.10.17", "192.168.10.18"],
            max_concurrency=0,
            numbers=["9178605501", "9178605502"],
        )

        assert self.pool(client, "777") is None
        edited = self.pool(client, "778")
        assert edited.whitelist == ["192.168.10.17", "192.168.10.18"]
        assert (edited.max_concurrency, edited.numbers) == (0, ["9178605501", "9178605502"])

    @pytest.mark.parametrize("strict", [False, True])
    def test_numbers_that_are_not_said_stay(self, start_sandbox: Callable[..., RunningSandbox], strict: bool) -> None:
        client = client_of(start_sandbox(strict_pools=strict))

        client.numbers.edit_pool(
            old_pool_number="918885", pool_number="918885", whitelist=["10.0.0.1"], max_concurrency=5, numbers=None
        )

        edited = self.pool(client, "918885")
        assert (edited.max_concurrency, edited.numbers) == (5, ["9178605501", "9178605502"])

    @pytest.mark.parametrize(("old", "new", "code"), [("nobody", "1", "-24"), ("918885", "442000", "-20")])
    def test_a_pool_that_is_not_there_or_there_already(
        self, client: LaafficClient, old: str, new: str, code: str
    ) -> None:
        with pytest.raises(Refused) as refused:
            client.numbers.edit_pool(
                old_pool_number=old, pool_number=new, whitelist=["10.0.0.1"], max_concurrency=5, numbers=None
            )
        assert refused.value.code == code

    def test_a_pool_drifts(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        door(sandbox, "/pools/drift", pool_number="918885")

        drifted = self.pool(client, "918885")
        assert (drifted.max_concurrency, drifted.numbers) == (98, ["9178605501"])

    def test_an_edit_whose_answer_is_lost_may_be_repeated(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        edit = {
            "old_pool_number": "918885",
            "pool_number": "918885",
            "whitelist": ["10.0.0.1"],
            "max_concurrency": 7,
            "numbers": ["9178605509"],
        }

        with pytest.raises(OutcomeUnknown):
            client.numbers.edit_pool(**edit)
        client.numbers.edit_pool(**edit)

        assert self.pool(client, "918885").numbers == ["9178605509"]


class OwnedNumberTests:
    def test_due_dates_and_states(self, start_sandbox: Callable[..., RunningSandbox]) -> None:
        client = client_of(start_sandbox(owned_numbers=130))

        owned = every(client.numbers.query_owned_numbers)

        assert len(owned) == 130
        today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
        for number in owned:
            assert number.due_on is not None
            if number.state is not NumberState.STOPPED:
                assert (number.state is NumberState.EXPIRED) == (number.due_on < today)
        assert {number.state for number in owned} == set(NumberState)

    def test_time_passes(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        door(sandbox, "/clock", seconds=400 * 86400)

        states = {number.state for number in client.numbers.query_owned_numbers().records}

        assert states == {NumberState.EXPIRED, NumberState.STOPPED}


def test_a_limit_is_named_before_any_call(sandbox: RunningSandbox, client: LaafficClient) -> None:
    with pytest.raises(InvalidRequest, match="expireS: 259201 is not between 1 and 259200"):
        bind(client, expires_in=259_201)
    assert sandbox.stats()["calls"] == {}

"""Bindings, pools and owned numbers from a script, against the sandbox over real HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from phone_numbers.models import Binding, BindingRequest, NumberPool, OwnedNumber, PoolVersion
from phone_numbers.services import owned_sync, pool_sync
from tests.api.conftest import Api
from tests.messaging.conftest import point_at
from tests.numbers.conftest import application

__all__ = ["application"]
pytestmark = pytest.mark.django_db(transaction=True)

BIND = {"application": "NumApp1", "a": "+91 98765 43210", "b": "+91 98765 43211", "pool": "918885"}


@pytest.fixture
def api(api: Api, sandbox: RunningSandbox, settings: LazySettings) -> Api:
    point_at(settings, sandbox)
    return api


class BindingTests:
    def test_bound_once_for_a_key_and_unbound(self, api: Api, application: Application) -> None:
        asked = [api("POST", "bindings", BIND, Idempotency_Key="a") for _time in range(2)]
        assert [answer.status_code for answer in asked] == [202, 202], asked[0].content
        assert asked[0].json() == asked[1].json()
        made = asked[0].json()["binding"]
        assert (asked[0].json()["state"], made["a"], made["pool"]) == ("accepted", "919876543210", "918885")
        assert LedgerEntry.objects.count() == 1

        assert [one["id"] for one in api("GET", "bindings?is_live=true").json()["items"]] == [made["id"]]
        gone = api("POST", f"bindings/{made['id']}/unbind", {}, Idempotency_Key="b")
        assert (gone.status_code, gone.json()["binding"]["ending"]) == (202, "unbound")
        assert api("GET", "bindings?is_live=true&number=919876543210").json()["items"] == []
        assert len(api("GET", "bindings?is_live=false&number=919876543210").json()["items"]) == 1
        assert api("GET", f"binding-requests/{gone.json()['id']}").json()["verb"] == "unbind"
        assert api("POST", f"bindings/{made['id']}/unbind", {}).status_code == 409

    def test_one_that_joins_two_others_by_now_is_not_ended_unseen(self, api: Api, application: Application) -> None:
        made = api("POST", "bindings", BIND).json()["binding"]
        seen = {"seen": api("GET", f"bindings/{made['id']}").json()["seen"]}
        assert seen["seen"] == made["seen"]
        Binding.objects.update(phone_b="919876543299")  # as a synchronisation found it

        refused = api("POST", f"bindings/{made['id']}/unbind", seen)

        assert (refused.status_code, Binding.objects.get().is_live) == (409, True)
        Binding.objects.update(phone_b="919876543211")
        assert api("POST", f"bindings/{made['id']}/unbind", seen).status_code == 202

    def test_a_lost_answer_is_told_and_not_sent_again(
        self, api: Api, application: Application, sandbox: RunningSandbox
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        asked = [api("POST", "bindings", BIND, Idempotency_Key="a") for _time in range(2)]

        assert [answer.json()["state"] for answer in asked] == ["unknown"] * 2
        assert (asked[0].json()["binding"], BindingRequest.objects.count()) == (None, 1)
        assert api("POST", "bindings", BIND, Idempotency_Key="b").status_code == 409

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"a": "nobody"}, "a"),
            ({"b": BIND["a"]}, "b"),
            ({"pool": "404"}, "pool"),
            ({"seconds": 0}, "seconds"),
            ({"kind": "abc"}, "kind"),
        ],
    )
    def test_bad_input_is_told_at_its_field(
        self, api: Api, application: Application, changed: dict[str, Any], field: str
    ) -> None:
        answer = api("POST", "bindings", {**BIND, **changed}, Idempotency_Key="a")

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
        assert not Binding.objects.exists()
        assert api("POST", "bindings", BIND, Idempotency_Key="a").status_code == 202

    def test_who_may_not_see_numbers_sees_them_masked(
        self, api: Api, api_with: Callable[..., Api], application: Application
    ) -> None:
        api("POST", "bindings", BIND)
        clerk = User.objects.create_user("clerk")
        clerk.user_permissions.set(Permission.objects.filter(codename="view_binding"))

        [row] = api_with(user=clerk)("GET", "bindings").json()["items"]
        asked = f"binding-requests/{BindingRequest.objects.get().pk}"
        assert [api_with(user=clerk)("GET", one).status_code for one in ("binding-requests", asked)] == [403, 403]
        assert (row["a"], row["b"]) == ("9198•••••210", "9198•••••211")
        clerk.user_permissions.add(Permission.objects.get(codename="unbind_binding"))
        assert api_with(user=clerk)("POST", f"bindings/{row['id']}/unbind", {}).status_code == 403
        clerk.user_permissions.add(Permission.objects.get(codename="see_numbers"))
        assert api_with(user=clerk)("POST", f"bindings/{row['id']}/unbind", {}).status_code == 202


class PoolTests:
    @pytest.fixture
    def pool(self, sandbox: RunningSandbox, application: Application, api: Api) -> NumberPool:
        pool_sync.sync()
        return NumberPool.objects.get(pool_number="918885")

    def test_changed_once_as_it_was_seen(self, api: Api, pool: NumberPool) -> None:
        held = api("GET", f"pools/{pool.pk}").json()
        asked = {"concurrency": held["concurrency"] + 1, "seen": held["seen"]}
        sent = [api("POST", f"pools/{pool.pk}", asked, Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in sent] == [202, 202], sent[0].content
        assert sent[1].json()["concurrency"] == held["concurrency"] + 1
        assert LedgerEntry.objects.filter(interface="editNumberPool").count() == 1
        late = api("POST", f"pools/{pool.pk}", {**asked, "concurrency": 7})
        assert late.status_code == 409
        assert "differs from what was shown" in late.json()["detail"]

        assert api("POST", f"pools/{pool.pk}", asked).status_code == 409  # though Laaffic holds just that by now
        assert api("POST", f"pools/{pool.pk}", {"version": 1, "seen": held["seen"]}).status_code == 409

        now = api("GET", f"pools/{pool.pk}").json()
        back = api("POST", f"pools/{pool.pk}", {"version": now["versions"][-1]["number"], "seen": now["seen"]})
        assert (back.status_code, back.json()["concurrency"]) == (202, held["concurrency"])

    def test_created(self, api: Api, application: Application) -> None:
        asked = {"pool": "777", "whitelist": ["10.0.0.9"], "concurrency": 5, "numbers": ["9178605502"]}
        made = api("POST", "pools", asked, Idempotency_Key="a")

        assert (made.status_code, made.json()["whitelist"], made.json()["version"]) == (202, ["10.0.0.9"], 1)
        assert api("POST", "pools", asked, Idempotency_Key="a").json()["id"] == made.json()["id"]
        assert api("POST", "pools", asked).json()["errors"][0]["field"] == "pool"
        assert PoolVersion.objects.count() == 1

    def test_one_that_laaffic_does_not_list(self, api: Api, application: Application) -> None:
        asked = {"pool": "918885", "whitelist": ["10.0.0.9"], "concurrency": 5, "at_laaffic": True}

        assert api("POST", "pools", asked).status_code == 202
        assert LedgerEntry.objects.get().interface == "editNumberPool"

    def test_a_name_that_another_pool_has_is_told_at_what_was_sent(self, api: Api, pool: NumberPool) -> None:
        asked = {"pool": "777", "whitelist": ["10.0.0.9"], "concurrency": 5, "numbers": ["9178605502"]}
        assert api("POST", "pools", asked).status_code == 202

        seen = api("GET", f"pools/{pool.pk}").json()["seen"]
        refused = api("POST", f"pools/{pool.pk}", {"rename": "777", "seen": seen})

        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "rename"), refused.content

    @pytest.mark.parametrize(
        "body",
        [
            {"concurrency": 1},
            {"seen": "x", "version": 99},
            {"seen": "x", "version": 1, "concurrency": 2},
            {"seen": "x", "whitelist": ["nowhere"]},
        ],
    )
    def test_bad_input_changes_nothing(self, api: Api, pool: NumberPool, body: dict[str, Any]) -> None:
        assert api("POST", f"pools/{pool.pk}", body).status_code == 400
        assert not LedgerEntry.objects.filter(interface="editNumberPool").exists()


class OwnedTests:
    @pytest.fixture
    def number(self, sandbox: RunningSandbox, api: Api) -> OwnedNumber:
        owned_sync.sync()
        found = OwnedNumber.objects.first()
        assert found is not None
        return found

    def test_changed_as_it_was_seen(self, api: Api, number: OwnedNumber) -> None:
        held = api("GET", f"owned-numbers/{number.pk}").json()
        asked = {"remark": "shop", "seen": held["seen"]}
        sent = [api("POST", f"owned-numbers/{number.pk}", asked, Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in sent] == [202, 202], sent[0].content
        assert (sent[0].json()["remark"], sent[0].json()["request"]) == ("shop", "accepted")
        assert LedgerEntry.objects.filter(interface="number/edit").count() == 1
        late = api("POST", f"owned-numbers/{number.pk}", {**asked, "remark": "other"})
        assert late.status_code == 409

    def test_bad_input_is_told(self, api: Api, number: OwnedNumber) -> None:
        seen = api("GET", f"owned-numbers/{number.pk}").json()["seen"]
        answer = api("POST", f"owned-numbers/{number.pk}", {"in_addresses": "nowhere", "seen": seen})

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "in_addresses")
        assert api("POST", f"owned-numbers/{number.pk}", {"seen": seen}).status_code == 409
        assert len(api("GET", "owned-numbers?is_gone=false").json()["items"]) == OwnedNumber.objects.count()

"""Pools taken over, lists read anew, announcements given: by scripts, against the sandbox over real HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from phone_numbers.models import NumberPool, OwnedNumber, PoolVersion, SyncStatus
from phone_numbers.services import owned_sync, pool_changes, pool_sync
from tests.api.conftest import Api
from tests.api.files import sent
from tests.messaging.conftest import point_at
from tests.numbers.conftest import Door, application, door

__all__ = ["application", "door"]
pytestmark = pytest.mark.django_db(transaction=True)

BIND = {"application": "NumApp1", "a": "+91 98765 43210", "b": "+91 98765 43211", "pool": "918885"}
WAV = b"RIFF" + b"\0" * 100


@pytest.fixture
def api(api: Api, sandbox: RunningSandbox, settings: LazySettings) -> Api:
    point_at(settings, sandbox)
    return api


def with_rights(name: str, api_with: Callable[..., Api], *rights: str) -> Api:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return api_with(user=user)


class AdoptTests:
    @pytest.fixture
    def drifted(self, api: Api, application: Application, door: Door) -> NumberPool:
        pool_sync.sync()
        door("pools/drift", pool_number="918885", max_concurrency=7, numbers=["9178605502", "9178605599"])
        pool_sync.sync()
        return NumberPool.objects.get(pool_number="918885")

    def test_what_laaffic_holds_is_ours_once(self, api: Api, drifted: NumberPool) -> None:
        held = api("GET", f"pools/{drifted.pk}").json()
        assert held["drifted"]
        versions = PoolVersion.objects.count()

        taken = [api("POST", f"pools/{drifted.pk}/adopt", {"seen": held["seen"]}) for _time in range(2)]

        assert [answer.status_code for answer in taken] == [200, 200], taken[0].content
        assert (taken[0].json()["drifted"], taken[0].json()["versions"][0]["origin"]) == (False, "adopted")
        assert taken[1].json() == taken[0].json()
        assert PoolVersion.objects.count() == versions + 1
        assert not LedgerEntry.objects.exists()

    def test_a_change_does_not_bring_back_what_was_ours_before(
        self, api: Api, drifted: NumberPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It takes what it does not name from ours, which another replaces by Laaffic's at this moment."""
        seen, read = api("GET", f"pools/{drifted.pk}").json()["seen"], pool_changes.read

        def adopted_meanwhile(**given: Any) -> pool_changes.Proposal:
            proposal = read(**given)
            pool_changes.adopt(drifted)
            return proposal

        monkeypatch.setattr(pool_changes, "read", adopted_meanwhile)

        answer = api("POST", f"pools/{drifted.pk}", {"whitelist": ["10.0.0.1"], "seen": seen})

        assert answer.status_code == 409
        assert not LedgerEntry.objects.exists()

    def test_only_as_it_was_seen(self, api: Api, api_with: Callable[..., Api], drifted: NumberPool) -> None:
        assert api("POST", f"pools/{drifted.pk}/adopt", {"seen": "x"}).status_code == 409
        assert api("POST", f"pools/{drifted.pk}/adopt", {}).status_code == 400
        clerk = with_rights("clerk", api_with, "view_numberpool")
        assert clerk("POST", f"pools/{drifted.pk}/adopt", {"seen": "x"}).status_code == 403
        drifted.refresh_from_db()
        assert drifted.drifted_at is not None


class VoicemailTests:
    @pytest.fixture
    def number(self, api: Api, application: Application) -> OwnedNumber:
        owned_sync.sync()
        return OwnedNumber.objects.get(number="917860550100")

    def test_given_once_as_the_number_was_seen(self, api: Api, number: OwnedNumber) -> None:
        seen = api("GET", f"owned-numbers/{number.pk}").json()["seen"]

        path = f"owned-numbers/{number.pk}/voicemail"
        given = [sent(api, path, "hello.wav", WAV, key="a", seen=seen) for _time in range(2)]

        assert [answer.status_code for answer in given] == [202, 202], given[0].content
        assert given[0].json()["request"] == "accepted"
        assert LedgerEntry.objects.get().summary["changed"] == {"voicemail_file": "hello.wav"}
        assert sent(api, path, "other.wav", WAV, seen="x").status_code == 409

    def test_the_same_file_once_more_is_not_sent_again(self, api: Api, number: OwnedNumber) -> None:
        path = f"owned-numbers/{number.pk}/voicemail"
        first = sent(api, path, "hello.wav", WAV, seen=api("GET", f"owned-numbers/{number.pk}").json()["seen"])
        seen = first.json()["seen"]

        answers = [sent(api, path, "hello.wav", WAV + b"1", seen=seen) for _time in range(2)]  # of the same name

        assert [(answer.status_code, answer.json()["request"]) for answer in answers] == [(202, "accepted")] * 2
        assert LedgerEntry.objects.count() == 2

    @pytest.mark.parametrize(("name", "content"), [("hello.exe", WAV), ("hello.wav", b"")])
    def test_an_unfit_file_is_told_at_its_field(self, api: Api, number: OwnedNumber, name: str, content: bytes) -> None:
        seen = api("GET", f"owned-numbers/{number.pk}").json()["seen"]

        answer = sent(api, f"owned-numbers/{number.pk}/voicemail", name, content, seen=seen)

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "file"), answer.content
        assert not LedgerEntry.objects.exists()


def test_what_was_asked_about_bindings(api: Api, application: Application, api_with: Callable[..., Api]) -> None:
    made = api("POST", "bindings", BIND).json()

    [listed] = api("GET", "binding-requests").json()["items"]

    assert listed == made
    clerk = with_rights("clerk", api_with, "view_binding")
    assert clerk("GET", "binding-requests").status_code == 403


class SyncTests:
    LISTS: dict[str, list[str]] = {"bindings": ["bindings NumApp1"], "pools": ["pools"], "owned-numbers": ["owned"]}

    @pytest.mark.parametrize("name", LISTS)
    def test_a_worker_is_asked_to_read_it(self, api: Api, application: Application, name: str) -> None:
        asked: Any = [api("POST", f"{name}/sync") for _time in range(2)]

        assert [answer.status_code for answer in asked] == [202, 202], asked[0].content
        assert [one["name"] for one in asked[0].json()["lists"]] == self.LISTS[name]
        assert all(one["is_running"] for one in api("GET", f"{name}/sync").json()["lists"])

    @pytest.mark.parametrize("name", LISTS)
    def test_nothing_is_read_where_nobody_uses_it(self, api: Api, api_with: Callable[..., Api], name: str) -> None:
        assert api("POST", f"{name}/sync").status_code == 409
        clerk = with_rights("clerk", api_with, "view_binding", "view_numberpool", "view_ownednumber")
        assert clerk("GET", f"{name}/sync").json() == {"lists": []}
        assert clerk("POST", f"{name}/sync").status_code == 403
        assert not SyncStatus.objects.exists()

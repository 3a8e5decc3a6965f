"""Tokens: who is let in, how far, and how often."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from laaffic_console.api import tokens
from laaffic_console.api.messages import sending
from laaffic_console.api.models import ApiToken
from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from messaging.models import Campaign
from tests.api.conftest import Api
from tests.api.test_messages import body

pytestmark = pytest.mark.django_db


def command(capsys: Any, *args: str) -> Any:
    call_command("api_token", *args, "--json")
    return json.loads(capsys.readouterr().out)


class CommandTests:
    def test_made_listed_rotated_and_revoked(self, person: User, capsys: Any) -> None:
        made = command(capsys, "create", "web shop", "--user", "shop", "--scope", "read", "send", "--expires", "30")
        assert set(made) == {"token", "id"}
        assert Api(made["token"])("GET", "messages").status_code == 200

        [row] = command(capsys, "list")["tokens"]
        assert (row["name"], row["user"], row["scopes"], row["state"]) == ("web shop", "shop", ["read", "send"], "good")
        assert made["token"] not in str(ApiToken.objects.values())

        rotated = command(capsys, "rotate", str(made["id"]))
        for secret in (made["token"], rotated["token"]):
            assert Api(secret)("GET", "messages").status_code == 200
        ApiToken.objects.filter(pk=made["id"]).update(expires_at=timezone.now())
        assert Api(made["token"])("GET", "messages").status_code == 401

        command(capsys, "revoke", str(rotated["id"]))
        answer = Api(rotated["token"])("GET", "messages")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
        assert "was revoked" in answer.json()["detail"]

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (["create", "x", "--user", "nobody"], "There is no user “nobody”"),
            (["create", "x", "--user", "shop", "--expires", "0"], "--expires takes days"),
            (["create", "x", "--user", "shop", "--address", "here"], "“here” is not an address"),
            (["create", "", "--user", "shop"], "blank"),
            (["revoke", "7"], "There is no token 7"),
        ],
    )
    def test_bad_arguments_are_told(self, person: User, args: list[str], said: str) -> None:
        with pytest.raises(CommandError, match=said):
            call_command("api_token", *args)


def test_one_that_is_revoked_at_this_moment_gets_no_successor(person: User) -> None:
    read, _secret = tokens.create("web shop", user=person, scopes=["send"])
    tokens.revoke(ApiToken.objects.get())

    assert read.is_good  # as it was read before
    with pytest.raises(ValidationError, match="revoked"):
        tokens.rotate(read)
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("days", [None, 30])
def test_replaced_twice_as_the_first_secret_was_lost_it_lasts_as_long(person: User, days: int | None) -> None:
    expires = dt.timedelta(days=days) if days else None
    made, _secret = tokens.create("web shop", user=person, scopes=["send"], expires=expires)
    tokens.rotate(made)
    made.refresh_from_db()

    third, _secret = tokens.rotate(made)

    lasts = third.expires_at and round((third.expires_at - third.created_at) / dt.timedelta(days=1))
    assert lasts == days


class DoorTests:
    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer nobody", "Basic c2hvcDp4", "Bearer \x00", "Token x"])
    def test_without_a_token_nothing_is_opened(self, db: None, header: str) -> None:
        answer = Api("")("GET", "messages", Authorization=header)

        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")

    def test_a_scope_that_is_missing(self, api_with: Callable[..., Api], application: Application) -> None:
        answer = api_with(scopes=["read", "campaigns"])("POST", "messages", body())

        assert answer.status_code == 403
        assert "lacks the scope “send”" in answer.json()["detail"]
        assert not Campaign.objects.exists()

    def test_a_right_that_the_user_lacks(self, api_with: Callable[..., Api], application: Application) -> None:
        user = User.objects.create_user("clerk")
        user.user_permissions.add(Permission.objects.get(codename="add_campaign"))
        answer = api_with(user=user)("POST", "messages", body())

        assert answer.status_code == 403
        assert "messaging.launch_campaign" in answer.json()["detail"]

    def test_who_is_switched_off(self, api_with: Callable[..., Api]) -> None:
        user = User.objects.create_superuser("left")
        api = api_with(user=user)
        User.objects.filter(pk=user.pk).update(is_active=False)

        assert api("GET", "messages").status_code == 401

    def test_another_address(self, api_with: Callable[..., Api]) -> None:
        api = api_with(addresses=["203.0.113.0/24"])

        assert api("GET", "messages").status_code == 403
        assert api("GET", "messages", X_Forwarded_For="203.0.113.7").status_code == 403

    def test_too_many_in_a_minute(self, api_with: Callable[..., Api]) -> None:
        cache.clear()
        api = api_with(per_minute=2)
        with time_machine.travel(timezone.now().replace(second=30), tick=False):  # minutes are counted by the clock
            answers = [api("GET", "messages") for _n in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 0 < int(answers[2]["Retry-After"]) <= 60

    def test_revoked_while_its_request_runs(
        self, api: Api, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = sending.send

        def slow(*args: Any) -> Any:
            ApiToken.objects.update(revoked_at=timezone.now())
            return real(*args)

        monkeypatch.setattr(sending, "send", slow)
        assert api("POST", "messages", body(), Idempotency_Key="a").status_code == 401
        assert not Campaign.objects.exists()

    def test_when_it_was_used_is_written_once_a_minute(self, api: Api, django_assert_num_queries: Any) -> None:
        api("GET", "messages")
        first = ApiToken.objects.get().last_used_at
        api("GET", "messages")
        assert ApiToken.objects.get().last_used_at == first

        ApiToken.objects.update(last_used_at=timezone.now() - dt.timedelta(minutes=2))
        api("GET", "messages")
        assert ApiToken.objects.get().last_used_at > first

    def test_who_did_it_is_kept(self, api: Api, application: Application) -> None:
        api("POST", "messages", body())

        launched = AuditEntry.objects.filter(kind="steered").latest("pk")
        assert (launched.person, launched.address) == ("shop", "127.0.0.1")
        [made] = AuditEntry.objects.filter(object_kind="api.apitoken") or [None]
        assert made is None  # nobody acts in a fixture


def test_a_secret_has_256_bits(person: User) -> None:
    _token, secret = tokens.create("x", user=person)

    assert len(secret.removeprefix(tokens.PREFIX)) == 43

"""A token, a client that sends JSON with it, and an application to send with."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from laaffic_console.api import launching, tokens
from laaffic_console.api.handling import idempotency
from laaffic_console.api.models import RepeatableRequest
from laaffic_console.gateway.services.client import account
from tests.messaging.conftest import application, group, run_jobs, sandbox

__all__ = ["application", "group", "run_jobs", "sandbox"]


@dataclass
class Api:
    """Asks as a script would."""

    secret: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if self.secret:
            named.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.secret}")
        raw = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        client = Client(raise_request_exception=False)
        return client.generic(method, f"/api/v1/{path}", raw, content_type="application/json", **named)


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create_superuser("shop")


@pytest.fixture
def api_with(person: User) -> Callable[..., Api]:
    """A client with a token of its own."""

    def made(**options: Any) -> Api:
        return Api(tokens.create("web shop", user=options.pop("user", person), **options)[1])

    return made


@pytest.fixture
def api(api_with: Callable[..., Api], settings: LazySettings) -> Api:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "secret"
    settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
    settings.REPLY_PULL_MINUTES = 10**6  # nobody is asked for replies here
    account.laaffic_client.cache_clear()
    cache.clear()
    return api_with()


class Killed(BaseException):
    """A process that is no more."""


@pytest.fixture
def dies(api: Api, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make a request whose process dies before its answer is kept; who repeats it takes over at once."""

    def kill(*_args: Any, **_given: Any) -> None:
        raise Killed

    def died(method: str, address: str, body: Any = None) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(idempotency, "_keep", kill)
            patch.setattr(idempotency, "_give_back", lambda *_args, **_given: None)
            with pytest.raises(Killed):
                api(method, address, body, idempotency_key="k")
        RepeatableRequest.objects.update(held_until=timezone.now() - dt.timedelta(seconds=5))

    return died


@pytest.fixture
def beside(api: Api, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Make a request twice at the same moment: the second one looks before the first has taken its step, and acts
    after it. Both answers, the first one's first."""

    def made(*asked: Any, **headers: str) -> list[Any]:
        usual, answers = launching.take_step, []

        def overtaken(find: Any, step: Any, *, is_done: Any) -> Any:
            def late(row: Any) -> Any:
                monkeypatch.setattr(launching, "take_step", usual)
                answers.append(api(*asked))
                return step(row)

            return usual(find, late, is_done=is_done)

        monkeypatch.setattr(launching, "take_step", overtaken)
        second = api(*asked, **headers)
        return [*answers, second]

    return made

"""Whoever can write to Redis runs no code here: nothing that comes from it is unpickled unsigned."""

import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy
from django_q.signing import SignedPackage

from laaffic_console.checks import queue_and_database
from laaffic_console.gateway.cache_json import JsonSerializer


class Poison:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@dataclass
class Found:
    title: Any


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    return tmp_path / "code ran"


@pytest.mark.parametrize("value", [0, 7, -1, 1.5, True, None, "text", "7", ["a", 1], {"a": {"b": [None]}}])
def test_a_value_comes_back(value: Any) -> None:
    stored = JsonSerializer().dumps(value)

    assert JsonSerializer().loads(stored if isinstance(stored, bytes) else str(stored).encode()) == value


def test_lazy_texts_and_dataclasses_become_plain() -> None:
    stored = JsonSerializer().dumps([Found(gettext_lazy("Campaigns"))])

    assert isinstance(stored, bytes)
    assert JsonSerializer().loads(stored) == [{"title": "Campaigns"}]


def test_a_pickle_in_the_cache_is_not_opened(trap: Path) -> None:
    for stored in (pickle.dumps(Poison(trap)), pickle.dumps(Poison(trap), 0), b"\xff\xfe", b"[" * 100_000):
        assert JsonSerializer().loads(stored) is None

    assert not trap.exists()


@pytest.mark.parametrize("key", ["", "another key", None])
def test_a_task_that_is_not_signed_with_our_key_is_refused_unopened(trap: Path, key: str | None) -> None:
    pickled = pickle.dumps(Poison(trap))
    forged = pickled if key is None else signed(pickled, key)

    with pytest.raises((signing.BadSignature, UnicodeDecodeError)):
        SignedPackage.loads(forged)

    assert not trap.exists()


def signed(pickled: bytes, key: str) -> str:
    packed = signing.b64_encode(pickled).decode()
    return signing.TimestampSigner(key=key or "-", salt="laaffic-console").sign(packed)


def test_sessions_and_messages_are_kept_without_pickle() -> None:
    assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"


def test_the_cache_in_redis_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess
    import sys

    said = subprocess.run(
        [sys.executable, "-c", "from laaffic_console import settings; print(settings.CACHES['default']['OPTIONS'])"],
        env={**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "cache_json.JsonSerializer" in said.stdout


@pytest.mark.parametrize(
    "address",
    [
        "",
        "redis://127.0.0.1:6379/0",
        "redis://localhost/0",
        "redis://[::1]:6379/0",
        "unix:///run/redis.sock",
        "rediss://:secret@redis.internal:6379/0",
    ],
)
def test_a_closed_redis_is_not_warned_about(settings: Any, address: str) -> None:
    settings.REDIS_URL = address

    assert queue_and_database.check_redis_is_closed() == []

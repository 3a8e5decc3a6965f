"""Broker and cache are away, or answer and refuse: nothing that was committed is undone, and the sweep rings later."""

import contextlib
import json
import logging
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django_q.conf import Conf
from django_q.models import OrmQ

from laaffic_console.dashboard.health import health
from laaffic_console.gateway import jobs as gateway_jobs
from laaffic_console.gateway import queue, redis_outage
from laaffic_console.gateway.models import Application, PushedBody
from laaffic_console.gateway.queue import redis_queue
from laaffic_console.gateway.services.work import bell
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, CampaignState, ContactGroup
from messaging.services.campaigns import drafts, starting
from messaging.services.sending import sending
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts, group, run_jobs

__all__ = ["group", "run_jobs"]

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY_LISTENS = "redis://127.0.0.1:1/0"
JOB = "messaging.jobs.sweep"


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """The address of a Redis that answers and takes nothing, as one that is full, or a replica."""
    name = f"reader-{os.getpid()}"
    server = redis.Redis(host="127.0.0.1", db=15)
    server.acl_setuser(name, enabled=True, nopass=True, keys=["*"], categories=["+@read", "+@connection"])
    try:
        yield f"redis://{name}:any@127.0.0.1:6379/15"
    finally:
        server.acl_deluser(name)
        server.close()


@pytest.fixture(params=["away", pytest.param("refuses", marks=pytest.mark.services)])
def queue_away(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> Iterator[Callable[[], None]]:
    """Redis is configured and does not answer, or refuses; call it to have a queue again."""
    kept = Conf.ORM, Conf.REDIS

    def is_back() -> None:
        Conf.ORM, Conf.REDIS = kept
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

    with refusing() if request.param == "refuses" else contextlib.nullcontext(NOBODY_LISTENS) as address:
        Conf.ORM, Conf.REDIS = None, address
        settings.CACHES = {
            "default": {"BACKEND": "laaffic_console.gateway.redis_cache.RedisCache", "LOCATION": address}
        }
        monkeypatch.setattr(redis_outage.outage, "over_at", 0.0)

        yield is_back
        is_back()


def test_a_cluster_waits_for_it_without_a_word(
    queue_away: Callable[[], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The worker's supervisor has said it; the cluster would write a trace and two lines a second."""
    slept: list[float] = []
    monkeypatch.setattr(redis_queue, "sleep", slept.append)
    taken = redis_queue.RedisQueue()

    assert taken.dequeue() is None
    taken.set_stat("cluster", "busy", 3)

    assert slept == [redis_queue.LOOK_AGAIN]
    assert caplog.records == []


@pytest.mark.parametrize("ring", [bell.ring, bell.ring_once_a_second])
class BellTests:
    def test_what_was_written_stays(
        self, queue_away: Callable[[], None], ring: Callable[[str], None], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING), transaction.atomic():
            PushedBody.objects.create(kind="sms-report", body="[]", received_at="2026-01-01T00:00:00Z")
            ring(JOB)

        assert PushedBody.objects.count() == 1
        assert JOB in caplog.text
        assert "Traceback" not in caplog.text

    def test_outside_a_transaction_nobody_hears_of_it(
        self, queue_away: Callable[[], None], ring: Callable[[str], None]
    ) -> None:
        ring(JOB)

    def test_whatever_ringing_raises_the_commit_stands(
        self, ring: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever committed would take it for a failed commit, and do all of it again."""

        def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError("a bug of the queue's")

        monkeypatch.setattr(cache, "add", lambda *_, **__: True)
        monkeypatch.setattr(bell, "async_task", broken)

        with transaction.atomic():
            PushedBody.objects.create(kind="sms-report", body="[]", received_at="2026-01-01T00:00:00Z")
            ring(JOB)

        assert PushedBody.objects.count() == 1

    def test_neither_queue_nor_cache_is_asked_inside_the_transaction(
        self, ring: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked_inside = []
        monkeypatch.setattr(cache, "add", lambda *_, **__: asked_inside.append(connection.in_atomic_block) or True)
        monkeypatch.setattr(bell, "async_task", lambda *_, **__: asked_inside.append(connection.in_atomic_block))

        with transaction.atomic():
            ring(JOB)

        assert asked_inside
        assert not any(asked_inside)

    def test_a_transaction_that_fails_rings_for_nothing(self, ring: Callable[[str], None]) -> None:
        def fail() -> None:
            with transaction.atomic():
                ring(JOB)
                raise ValueError("undone")

        with pytest.raises(ValueError, match="undone"):
            fail()

        assert not OrmQ.objects.exists()


@pytest.fixture
def silent_redis(monkeypatch: pytest.MonkeyPatch, queue_away: Callable[[], None]) -> Iterator[socket.socket]:
    """Redis is configured, takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listens:
        address = f"redis://127.0.0.1:{listens.getsockname()[1]}/0"
        monkeypatch.setattr(Conf, "REDIS", address)
        yield listens


def connections_to(listens: socket.socket) -> int:
    listens.setblocking(False)
    found = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listens.accept()[0].close()
            found += 1
    return found


class SilentRedisTests:
    def test_only_the_first_bell_waits_for_it(self, silent_redis: socket.socket) -> None:
        for _ in range(5):
            bell.ring(JOB)

        assert connections_to(silent_redis) == 1

    def test_after_some_seconds_it_is_tried_again(self, silent_redis: socket.socket) -> None:
        bell.ring(JOB)
        redis_outage.outage.over_at = 0.0
        bell.ring(JOB)

        assert connections_to(silent_redis) == 2


def test_what_is_asked_of_the_queue_says_that_no_bell_can_be_rung(queue_away: Callable[[], None]) -> None:
    """A Redis that refuses still counts what waits: by that alone /readyz would call it well."""
    with pytest.raises(redis.RedisError):
        queue.ask()
    assert not health.queue().is_well
    assert health.queue().says in ("ConnectionError", "NoPermissionError (NOPERM)", "NoPermissionError")

    queue_away()
    assert (queue.ask(), health.queue().is_well) == (0, True)


@pytest.mark.services
def test_what_redis_refuses_is_said_once_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_outage.outage, "over_at", 0.0)
    monkeypatch.setattr(redis_outage.outage, "say_at", 0.0)
    with refusing() as address:
        monkeypatch.setattr(Conf, "REDIS", address)
        rope = redis_queue.BellRope()
        for _ in range(3):
            with pytest.raises(redis.ResponseError):
                rope.enqueue("a bell")

    assert [record.message[:14] for record in caplog.records] == ["Redis refuses "]


def test_while_redis_is_away_the_cache_is_empty(queue_away: Callable[[], None]) -> None:
    assert cache.add("a", 1) is True
    assert cache.get("a", "nothing") == "nothing"
    assert cache.get_many(["a"]) == {}
    assert not cache.has_key("a")
    assert not cache.touch("a")
    assert not cache.delete("a")
    assert cache.set_many({"a": 1}) == ["a"]
    cache.set("a", 1)
    cache.delete_many(["a"])
    cache.clear()
    with pytest.raises(ValueError, match="not found"):
        cache.incr("a")


class ConsoleTests:
    def test_somebody_proves_who_they_are(self, queue_away: Callable[[], None], admin_client: Client) -> None:
        """The limit of wrong passwords is counted in the cache."""
        wrong = admin_client.post("/account/again/", {"password": "another"})
        right = admin_client.post("/account/again/", {"password": "password"})

        assert (wrong.status_code, right.status_code) == (200, 302)

    def test_a_push_is_stored_and_answered(self, queue_away: Callable[[], None], settings: LazySettings) -> None:
        settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
        body = json.dumps([{"msgid": "1", "status": "0"}])

        answer = Client().post("/hooks/a-token-that-nobody-guesses/sms-report/", body, content_type="application/json")

        assert answer.status_code == 200
        assert PushedBody.objects.count() == 1

    def test_a_launched_campaign_is_sent_as_soon_as_the_queue_is_back(
        self,
        queue_away: Callable[[], None],
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
    ) -> None:
        campaign = self.a_campaign(application, group)

        assert starting.launch(campaign.pk).state == CampaignState.RUNNING
        queue_away()
        gateway_jobs.sweep()
        run_jobs()

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.FINISHED
        assert sandbox.stats()["accepted"] == 3

    def test_answers_are_settled_without_a_queue(
        self,
        queue_away: Callable[[], None],
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
    ) -> None:
        campaign = self.a_campaign(application, group)
        starting.launch(campaign.pk)

        sending.send(campaign.pk)

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.FINISHED
        assert counting.state_counts(campaign)["accepted"] == 3

    def a_campaign(self, application: Application, group: ContactGroup) -> Campaign:
        add_contacts(group, 3)
        return drafts.create(name="Autumn", application=application, sender_id="S", text="Hello", groups=[group])

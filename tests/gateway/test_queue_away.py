"""Broker and cache refuse connections: nothing that was committed is undone, and the sweeper rings later."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django_q.conf import Conf
from django_q.models import OrmQ

from laaffic_console.gateway import jobs as gateway_jobs
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


@pytest.fixture
def queue_away(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Iterator[Callable[[], None]]:
    """Redis is configured and does not answer; call it to have a queue again."""
    kept = Conf.ORM, Conf.REDIS
    Conf.ORM, Conf.REDIS = None, NOBODY_LISTENS
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": NOBODY_LISTENS}
    }

    def is_back() -> None:
        Conf.ORM, Conf.REDIS = kept
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

    yield is_back
    is_back()


def test_a_cluster_waits_for_it_without_a_word(
    queue_away: Callable[[], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The worker's supervisor has said it; the cluster would write a trace and two lines a second."""
    slept: list[float] = []
    monkeypatch.setattr(redis_queue, "sleep", slept.append)
    queue = redis_queue.RedisQueue()

    assert queue.dequeue() is None
    queue.set_stat("cluster", "busy", 3)

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


class ConsoleTests:
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

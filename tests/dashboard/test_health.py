"""Whether the parts work together, and the front page."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.dashboard import health
from laaffic_console.gateway.models import Application, PushedBody, WorkerHeartbeat
from messaging.models import ActivityTally, Batch, Campaign, CampaignState, MessageState, OutcomeTally

pytestmark = pytest.mark.django_db


def worker(seconds_ago: float, **fields: Any) -> None:
    beat_at = timezone.now() - dt.timedelta(seconds=seconds_ago)
    given = {"worker": f"w{seconds_ago}", "host": "h", "pid": 1, "started_at": beat_at, "beat_at": beat_at}
    WorkerHeartbeat.objects.create(**(given | fields))


class HealthTests:
    def test_this_process_answers(self, client: Client, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            answer = client.get("/healthz")

        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_without_a_worker_it_is_not_ready(self, client: Client) -> None:
        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["status"] == "not ready"
        assert "manage.py worker" in answer.json()["worker"]

    def test_with_a_fresh_heartbeat_it_is_ready(self, client: Client) -> None:
        worker(5)

        answer = client.get("/readyz")

        assert answer.status_code == 200
        assert answer.json() == {
            "status": "ok",
            "database": connection.vendor,
            "queue": "0 waiting",
            "worker": "1 alive",
        }

    def test_a_stale_heartbeat_is_none(self, client: Client) -> None:
        worker(31)

        assert client.get("/readyz").status_code == 503

    def test_a_worker_that_stopped_is_none(self, client: Client) -> None:
        worker(1, stopped_at=timezone.now())

        assert client.get("/readyz").status_code == 503

    def test_a_queue_that_is_gone_is_said(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone() -> None:
            raise OperationalError("no secret of ours")

        worker(5)
        monkeypatch.setattr(health, "get_broker", gone)

        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["queue"] == "OperationalError"

    def test_the_age_of_the_last_push(self) -> None:
        assert health.last_push_age() is None

        PushedBody.objects.create(kind="sms-report", body="[]", received_at=timezone.now() - dt.timedelta(seconds=60))

        assert 60 <= (health.last_push_age() or 0) < 70


class FrontPageTests:
    def fill(self, application: Application, count: int) -> None:
        now = timezone.now()
        minute = now.replace(second=0, microsecond=0)
        for n, state in enumerate([*CampaignState] * count):
            campaign = Campaign.objects.create(
                name=f"Campaign {n}", application=application, text="Hi", state=state, total=10, launched_at=now
            )
            Batch.objects.create(campaign=campaign, first_message_id=1, last_message_id=9, size=10, delivered=10)
            ActivityTally.objects.create(campaign=campaign, minute=minute, state=MessageState.DELIVERED, messages=10)
            OutcomeTally.objects.create(
                campaign=campaign, country="IN", state=MessageState.UNDELIVERED, reason="absent", messages=1
            )
            OutcomeTally.objects.create(
                campaign=campaign, state=MessageState.DELIVERED, currency="USD", messages=9, pay_micros=1_500_000
            )

    def test_an_empty_console_says_what_to_do_first(self, admin_client: Client) -> None:
        answer = admin_client.get(reverse("admin:index"))

        assert answer.status_code == 200
        assert [step["done"] for step in answer.context["steps"]] == [False, False, False]

    def test_it_shows_what_happens(self, admin_client: Client, application: Application) -> None:
        self.fill(application, 2)

        answer = admin_client.get(reverse("admin:index"))

        figures = {figure["name"]: figure["today"] for figure in answer.context["today"]}
        assert answer.status_code == 200
        assert figures["Delivered"] == 140
        assert answer.context["spend"] == [("USD", 21)]
        assert answer.context["reasons"] == [("absent", 14)]
        assert len(answer.context["running"]) == 4
        assert answer.context["steps"] == []

    def test_more_campaigns_cost_no_more_queries(self, admin_client: Client, application: Application) -> None:
        self.fill(application, 1)
        with CaptureQueriesContext(connection) as few:
            admin_client.get(reverse("admin:index"))
        self.fill(application, 5)

        with CaptureQueriesContext(connection) as many:
            admin_client.get(reverse("admin:index"))

        assert len(many) == len(few)

    def test_who_may_see_no_campaign_sees_no_figures(self, client: Client) -> None:
        client.force_login(User.objects.create_user("staff", is_staff=True))

        answer = client.get(reverse("admin:index"))

        assert answer.status_code == 200
        assert "running" not in answer.context

    def test_a_stranger_has_to_sign_in(self, client: Client) -> None:
        assert client.get(reverse("admin:index")).status_code == 302

"""What Prometheus reads: who may, what it says, and that it does not grow with what was sent."""

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from laaffic_console import conf
from laaffic_console.gateway.models import (
    AccountHold,
    Application,
    BalanceReading,
    EntryState,
    LedgerEntry,
    PushedBody,
    WorkerHeartbeat,
)
from messaging.models import ActivityTally, Batch, Campaign, HourTally, MessageState

pytestmark = pytest.mark.django_db

TOKEN = "a-token-for-prometheus"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def _on(settings: LazySettings) -> None:
    settings.LAAFFIC_METRICS_TOKEN = TOKEN


def read(client: Client, **headers: str) -> Any:
    return client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", **headers})


def figures(client: Client) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(read(client).content.decode())
    return {(s.name.removeprefix("laaffic_"), *s.labels.values()): s.value for f in families for s in f.samples}


def world(batches: int = 1) -> None:
    now = timezone.now()
    application = Application.objects.create(app_id=f"a{Application.objects.count()}", channel="sms")
    campaign = Campaign.objects.create(name="A", application=application, text="x", state="running")
    for _n in range(batches):
        ids = {"first_message_id": 1, "last_message_id": 5, "size": 5}
        Batch.objects.create(campaign=campaign, queued=3, unknown=2, state="unknown", **ids)
        Batch.objects.create(campaign=campaign, delivered=5, state="settled", **ids)
        entry = {"interface": "sendSms", "about_kind": "campaign", "prepared_at": now}
        LedgerEntry.objects.create(state=EntryState.UNKNOWN, **entry)
        left = {"left_at": now - dt.timedelta(seconds=2), "settled_at": now}
        LedgerEntry.objects.create(state=EntryState.ACCEPTED, **entry, **left)
    hour = now.replace(minute=0, second=0, microsecond=0)
    HourTally.objects.create(hour=hour, application=application, state=MessageState.DELIVERED, messages=7)
    old = hour - dt.timedelta(days=3)
    HourTally.objects.create(hour=old, application=application, state=MessageState.DELIVERED, messages=9)
    ActivityTally.objects.create(
        minute=now.replace(second=0, microsecond=0), campaign=campaign, state=MessageState.ACCEPTED, messages=4
    )


@pytest.mark.usefixtures("_on")
class FiguresTests:
    def test_it_says_how_things_stand(self, client: Client) -> None:
        world()
        now = timezone.now()
        WorkerHeartbeat.objects.create(worker="w", host="h", pid=1, started_at=now, beat_at=now, restarts=2)
        AccountHold.objects.create(scope="account", sentence="no money", placed_at=now, probe_wait=1)
        BalanceReading.objects.create(at=now, balance=Decimal("12.5"), currency="USD")
        PushedBody.objects.create(kind="sms-report", body="{}", received_at=now - dt.timedelta(seconds=90))

        found = figures(client)

        assert found["queue_length",] == 0
        assert (found["workers_alive",], found["worker_restarts",]) == (1, 2)
        assert (found["campaigns", "running"], found["campaigns", "held"]) == (1, 0)
        assert (found["messages_open", "sms", "queued"], found["messages_open", "sms", "unknown"]) == (3, 2)
        assert found["messages_last_day", "sms", "delivered"] == 7
        assert found["messages_last_minutes", "accepted"] == 4
        assert (found["requests_open", "unknown"], found["requests_open", "in_flight"]) == (1, 0)
        assert found["request_seconds", "0.95"] == pytest.approx(2, abs=0.1)
        assert found["inbox_waiting",] == 1
        assert found["inbox_lag_seconds",] == pytest.approx(90, abs=20)
        assert found["account_holds",] == 1
        assert found["balance", "USD"] == 12.5

    def test_what_is_over_and_what_was_taken_back_is_not_counted(self, client: Client) -> None:
        world()
        Campaign.objects.update(state="finished")
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        for state, n in ((MessageState.UNKNOWN, -5), (MessageState.EXPIRED, -3)):
            HourTally.objects.create(hour=hour, application=Application.objects.get(), state=state, messages=n)

        found = figures(client)

        assert (found["campaigns", "running"], ("campaigns", "finished") in found) == (0, False)
        assert ("messages_last_day", "sms", "unknown") not in found
        assert found["messages_last_day", "sms", "expired"] == 0

    def test_more_rows_ask_no_more_questions(self, client: Client) -> None:
        with CaptureQueriesContext(
            connection,
        ) as few:
            read(client)
        world(batches=30)
        with CaptureQueriesContext(connection) as many:
            assert read(client).status_code == 200

        assert len(many) == len(few) <= 21  # of which PostgreSQL is asked for the time in one

    def test_the_page_and_the_files_name_what_there_is(self, client: Client) -> None:
        world()
        BalanceReading.objects.create(at=timezone.now(), balance=Decimal(1))
        known = {f"laaffic_{key[0]}" for key in figures(client)} | {"laaffic_sweep_age_seconds"}
        documented = set(re.findall(r"laaffic_[a-z_]+", (ROOT / "docs/metrics.md").read_text()))
        json.loads((ROOT / "deploy/grafana.json").read_text())
        used = set(re.findall(r"laaffic_[a-z_]+", (ROOT / "deploy/grafana.json").read_text()))
        used |= set(re.findall(r"laaffic_[a-z_]+", (ROOT / "deploy/alerts.yml").read_text()))

        assert documented == known
        assert used <= known


class WhoTests:
    def test_it_is_off_where_nothing_is_set(self, client: Client) -> None:
        assert read(client).status_code == 404

    @pytest.mark.usefixtures("_on")
    @pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"])
    def test_without_the_token_it_is_refused(self, client: Client, given: str) -> None:
        answer = read(client, Authorization=given)

        assert answer.status_code == 403
        assert TOKEN not in answer.content.decode()

    def test_an_address_of_the_list_is_enough(self, client: Client, settings: LazySettings) -> None:
        settings.LAAFFIC_METRICS_SOURCES = ["127.0.0.0/8"]

        assert client.get("/metrics").status_code == 200
        assert client.get("/metrics", REMOTE_ADDR="10.0.0.1").status_code == 403
        assert (
            client.get("/metrics", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
        )
        assert read(client, **{"X-Forwarded-For": "9.9.9.9"}).status_code == 200

    @pytest.mark.parametrize(("name", "value"), [("token", "short"), ("networks", "10.0.0.0/99")])
    def test_a_setting_that_makes_no_sense_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv("LAAFFIC_METRICS_X", value)

        with pytest.raises(ImproperlyConfigured, match="LAAFFIC_METRICS_X"):
            getattr(conf, name)("LAAFFIC_METRICS_X")

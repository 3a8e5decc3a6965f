"""Every alert rule fires in the state that it is for, read from /metrics as it is then, and in no calm one.

The rules compare one figure, or the sum of some, with a number; `value` knows no more of PromQL than that. How long a
state must last before Prometheus tells (`for`) is Prometheus' own.
"""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from django_q.conf import Conf
from prometheus_client.parser import text_string_to_metric_families

from laaffic_console.dashboard.health import metrics
from laaffic_console.gateway.models import (
    AccountHold,
    Application,
    BalanceReading,
    EntryState,
    Lease,
    LedgerEntry,
    PushedBody,
    WorkerHeartbeat,
)
from laaffic_console.gateway.services.work import workers
from messaging.models import Batch, Campaign, CampaignState, EmailCampaign
from voice.models import GroupTask

pytestmark = pytest.mark.django_db

RULES = {
    rule["alert"]: rule
    for group in yaml.safe_load((Path(__file__).parents[2] / "deploy/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
RULE = re.compile(r"(?P<sum>sum\()?(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})?\)? (?P<sign>==|>) (?P<limit>\d+)")
Samples = list[tuple[str, dict[str, str], float]]


@pytest.fixture(autouse=True)
def _token(settings: LazySettings) -> None:
    settings.LAAFFIC_METRICS_TOKEN = "a-token-for-prometheus"


def scraped(client: Client) -> Samples:
    """As Prometheus keeps them: with `up`, which says whether the page could be read."""
    client.raise_request_exception = False
    answer = client.get("/metrics", headers={"Authorization": "Bearer a-token-for-prometheus"})
    if answer.status_code != 200:
        return [("up", {"job": "laaffic-console"}, 0)]
    found = text_string_to_metric_families(answer.content.decode())
    return [("up", {"job": "laaffic-console"}, 1), *((s.name, s.labels, s.value) for f in found for s in f.samples)]


def fires(rule: dict[str, Any], samples: Samples) -> bool:
    wanted = RULE.fullmatch(rule["expr"])
    assert wanted, f"{rule['expr']}: teach this test what it means"
    labels = dict(re.findall(r'(\w+)="([^"]*)"', wanted["labels"] or ""))
    values = [value for name, has, value in samples if name == wanted["name"] and labels.items() <= has.items()]
    compared = [sum(values)] if wanted["sum"] and values else values
    limit = float(wanted["limit"])
    return any(value > limit if wanted["sign"] == ">" else value == limit for value in compared)


def worker(age: float = 0) -> None:
    beat = timezone.now() - dt.timedelta(seconds=age)
    WorkerHeartbeat.objects.create(worker="w", host="h", pid=1, started_at=beat, beat_at=beat)


def swept(age: float) -> None:
    until = timezone.now() - dt.timedelta(seconds=age)
    Lease.objects.update_or_create(name=workers.SWEPT, defaults={"token": "", "until": until})


def calm() -> None:
    """A console that works: a worker, a sweep, a balance, a campaign that sends and one that has sent."""
    now = timezone.now()
    worker()
    swept(3)
    BalanceReading.objects.create(at=now - dt.timedelta(minutes=5), balance=Decimal(100))
    application = Application.objects.create(app_id="smsApp01", channel="sms")
    running = Campaign.objects.create(name="A", application=application, text="x", state=CampaignState.RUNNING)
    ids = {"first_message_id": 1, "last_message_id": 5, "size": 5}
    Batch.objects.create(campaign=running, queued=5, **ids)
    LedgerEntry.objects.create(
        interface="sendSms", about_kind="campaign", prepared_at=now, left_at=now, state=EntryState.IN_FLIGHT
    )
    PushedBody.objects.create(kind="sms-report", body="{}", received_at=now - dt.timedelta(seconds=20))
    AccountHold.objects.create(scope="account", sentence="over", placed_at=now, probe_wait=1, released_at=now)


def no_worker() -> None:
    WorkerHeartbeat.objects.update(beat_at=timezone.now() - 2 * workers.STALE_AFTER)


def inbox_lags() -> None:
    PushedBody.objects.update(received_at=timezone.now() - dt.timedelta(minutes=6))


def account_held() -> None:
    AccountHold.objects.update(released_at=None)


def messages_unknown() -> None:
    Batch.objects.update(queued=4, unknown=1)


def requests_unknown() -> None:
    LedgerEntry.objects.update(state=EntryState.UNKNOWN)


def campaign_held() -> None:
    Campaign.objects.update(state=CampaignState.HELD)


def email_campaign_held() -> None:
    EmailCampaign.objects.create(name="A", application=Application.objects.get(), state="held")


def group_call_held() -> None:
    GroupTask.objects.create(name="A", application=Application.objects.get(), state="held")


def balance_old() -> None:
    BalanceReading.objects.update(at=timezone.now() - dt.timedelta(hours=2))


def queue_away() -> None:
    Conf.ORM, Conf.REDIS = None, "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conf, "ORM", Conf.ORM)
    monkeypatch.setattr(Conf, "REDIS", Conf.REDIS)


PROVOKED: dict[str, Callable[[], None]] = {
    "NoWorker": no_worker,
    "QueueAway": queue_away,
    "SweepLate": lambda: swept(90),
    "InboxLags": inbox_lags,
    "AccountHeld": account_held,
    "MessagesUnknown": messages_unknown,
    "RequestsUnknown": requests_unknown,
    "CampaignHeld": campaign_held,
    "EmailCampaignHeld": email_campaign_held,
    "GroupCallHeld": group_call_held,
    "BalanceOld": balance_old,
}
NOT_ANSWERING = "ConsoleNotAnswering"


def test_every_rule_is_played_here() -> None:
    assert set(RULES) == {*PROVOKED, NOT_ANSWERING}


def test_in_a_calm_console_none_fires(client: Client) -> None:
    calm()
    samples = scraped(client)
    assert [name for name, rule in RULES.items() if fires(rule, samples)] == []


@pytest.mark.parametrize("name", PROVOKED)
def test_it_fires_in_its_state_and_no_other_does(client: Client, name: str) -> None:
    calm()
    PROVOKED[name]()
    samples = scraped(client)
    assert [each for each, rule in RULES.items() if fires(rule, samples)] == [name]


def test_a_console_without_its_database_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> dt.datetime:
        raise OperationalError("connection refused")

    monkeypatch.setattr(metrics.database_clock, "now", away)
    samples = scraped(client)
    assert [each for each, rule in RULES.items() if fires(rule, samples)] == [NOT_ANSWERING]


def test_every_rule_lasts_a_while_and_says_what_to_do() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"\d+[mhd]", rule["for"])
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert rule["annotations"]["summary"].endswith(".")


@pytest.mark.parametrize(("hours", "is_told"), [(24, False), (26, True)])
def test_a_balance_that_is_seldom_read_is_not_old_for_that(
    client: Client, settings: LazySettings, hours: int, is_told: bool
) -> None:
    settings.LAAFFIC_BALANCE_MINUTES = 24 * 60
    calm()
    BalanceReading.objects.update(at=timezone.now() - dt.timedelta(hours=hours))

    assert fires(RULES["BalanceOld"], scraped(client)) == is_told

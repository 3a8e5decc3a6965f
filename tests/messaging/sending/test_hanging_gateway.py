"""A gateway that hangs on each request: no job outlasts the time after which it is killed, and none starves others."""

import datetime as dt
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, Lease, LedgerEntry, WorkerHeartbeat
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import bell, workers
from laaffic_console.gateway.services.work.patience import NotAsked
from laaffic_console.laaffic import LaafficClient, OutcomeUnknown
from laaffic_console.laaffic.replies import RepliesApi
from laaffic_console.laaffic.voice import VoiceApi
from messaging.models import Batch, BatchState, Campaign, ContactGroup, Message, MessageState
from messaging.services.batches import answers
from messaging.services.replies import reply_pulls
from messaging.services.reports import record_matching, report_pulls
from messaging.services.reports.readings import Trouble
from tests.messaging.sending.test_pulled_apart import settled

pytestmark = pytest.mark.django_db

CONNECT, READ = 10.0, 30.0
LONGEST = CONNECT + READ
HOURS = 5


class Hanging:
    """Each request takes as long as one may, by a clock that nothing else moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.kept = True  # the lease, for as long as each request may take
        self.believed = True  # that the worker lives, likewise
        self.requests = 0

    def __call__(self, *args: object, **given: object) -> Any:
        if check := given.get("before_each"):
            assert callable(check)
            check()
        self.requests += 1
        self.now += LONGEST
        lease = Lease.objects.exclude(token="").get()
        self.kept &= (lease.until - database_clock.now()).total_seconds() > LONGEST
        heard = WorkerHeartbeat.objects.get().beat_at
        assert heard is not None
        self.believed &= (heard + workers.STALE_AFTER - database_clock.now()).total_seconds() > LONGEST
        WorkerHeartbeat.objects.update(beat_at=database_clock.now())  # for the next request another is needed
        raise OutcomeUnknown("no answer within the time limit", interface="a list")


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Hanging:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    settings.LAAFFIC_TIMEOUTS = (CONNECT, READ)
    account.laaffic_client.cache_clear()
    WorkerHeartbeat.objects.create(worker="w", host="h", pid=1, started_at=timezone.now())
    monkeypatch.setenv(workers.WORKER_VARIABLE, "w")
    monkeypatch.setattr(workers, "_last_beat", 0.0)
    monkeypatch.setattr(workers, "_last_ahead", dt.timedelta(0))
    gateway = Hanging()
    monkeypatch.setattr("time.monotonic", lambda: gateway.now)
    monkeypatch.setattr(VoiceApi, "group_records", gateway)
    monkeypatch.setattr(LaafficClient, "sent_record_pages", gateway)
    monkeypatch.setattr(LaafficClient, "get_sent_records", gateway)
    monkeypatch.setattr(RepliesApi, "iter_pages", gateway)
    return gateway


def lost_batch(application: Application, group: ContactGroup, *, channel: str) -> Batch:
    settled(application, group, ["1"])
    left_at = timezone.now() - dt.timedelta(hours=HOURS)
    LedgerEntry.objects.update(left_at=left_at, state="unknown")
    Application.objects.update(channel="voice" if channel == "voice" else "sms")
    Campaign.objects.update(channel=channel)
    answers.write_one(Batch.objects.get().pk)
    Message.objects.update(state=MessageState.UNKNOWN, gateway_id=None)
    Batch.objects.update(
        state=BatchState.UNKNOWN,
        accepted=0,
        unknown=1,
        claimed_at=left_at,
        next_check_at=timezone.now() - dt.timedelta(seconds=1),
    )
    return Batch.objects.get()


@pytest.mark.parametrize("channel", ["sms", "voice"])
class RecordTests:
    def test_a_list_that_hangs_ends_before_the_job_is_killed(
        self, application: Application, group: ContactGroup, hanging: Hanging, channel: str
    ) -> None:
        batch = lost_batch(application, group, channel=channel)

        report_pulls.pull_due()

        assert hanging.requests >= 1
        assert hanging.requests * LONGEST < bell.options_of(report_pulls.JOB)["timeout"]
        assert (hanging.kept, hanging.believed) == (True, True)
        batch.refresh_from_db()
        assert (batch.state, batch.unknown) == (BatchState.UNKNOWN, 1)
        assert batch.next_check_at is not None
        assert batch.next_check_at > timezone.now()

    def test_what_a_process_is_killed_over_is_asked_about_later(
        self,
        application: Application,
        group: ContactGroup,
        hanging: Hanging,
        monkeypatch: pytest.MonkeyPatch,
        channel: str,
    ) -> None:
        batch = lost_batch(application, group, channel=channel)

        def killed(*args: object, **given: object) -> Any:
            raise SystemExit

        monkeypatch.setattr(VoiceApi, "group_records", killed)
        monkeypatch.setattr(LaafficClient, "sent_record_pages", killed)

        with pytest.raises(SystemExit):
            report_pulls.pull_due()

        batch.refresh_from_db()
        assert batch.next_check_at is not None
        assert batch.next_check_at > timezone.now()


@pytest.mark.parametrize("channel", ["sms", "voice"])
@pytest.mark.parametrize("is_unknown", [True, False])
def test_what_there_was_no_time_to_ask_for_keeps_its_last_question(
    application: Application, group: ContactGroup, hanging: Hanging, channel: str, is_unknown: bool
) -> None:
    batch = lost_batch(application, group, channel=channel)
    long_ago = timezone.now() - dt.timedelta(hours=settings.REPORT_WINDOW_HOURS + 48)
    Batch.objects.update(claimed_at=long_ago)
    LedgerEntry.objects.update(left_at=long_ago)
    if not is_unknown:
        Message.objects.update(state=MessageState.ACCEPTED, gateway_id="123")
        Batch.objects.update(state=BatchState.SETTLED, accepted=1, unknown=0)
    batch.refresh_from_db()

    report_pulls._check_apart(account.laaffic_client(), batch, report_pulls.Patience(seconds=0))

    was = (batch.state, batch.accepted, batch.unknown)
    batch.refresh_from_db()
    assert hanging.requests == 0
    assert (batch.state, batch.accepted, batch.unknown) == was
    assert batch.next_check_at is not None
    assert batch.next_check_at > timezone.now() + dt.timedelta(minutes=9)


@pytest.mark.parametrize("is_cut_short", [False, True])
def test_who_had_its_answer_is_done_though_others_were_not_asked_for(
    application: Application,
    group: ContactGroup,
    hanging: Hanging,
    monkeypatch: pytest.MonkeyPatch,
    is_cut_short: bool,
) -> None:
    batch = lost_batch(application, group, channel="sms")
    own = record_matching.windows_of([batch])[0]
    other = (own[0] - dt.timedelta(hours=9), own[0] - dt.timedelta(hours=8))
    monkeypatch.setattr(record_matching, "windows_of", lambda batches: [other, own])
    swept: list[Any] = []

    def sweep(client: object, of: object, window: Any, trouble: object) -> record_matching.Sweep:
        hanging.now += 60
        swept.append(window)
        return record_matching.Sweep(window[0], window[1], 0, unread=[window] if is_cut_short else ())

    monkeypatch.setattr(report_pulls, "_sweep", sweep)

    report_pulls._check_apart(account.laaffic_client(), batch, report_pulls.Patience(seconds=50))

    assert swept == [own]
    batch.refresh_from_db()
    assert batch.checks == (0 if is_cut_short else 1)


def test_a_list_that_was_cut_short_is_not_asked_for_further() -> None:
    """Who shares it is put off too, rather than done."""
    trouble = Trouble("a list")
    window = (timezone.now(), timezone.now())

    def read(of: object) -> None:
        raise NotAsked("the rest was not asked for", interface="a list")

    assert trouble.read([window], read) == [window]
    assert trouble.is_away


def test_a_batch_that_another_asks_about_is_left_to_it(
    application: Application, group: ContactGroup, hanging: Hanging
) -> None:
    batch = lost_batch(application, group, channel="sms")
    Batch.objects.update(next_check_at=timezone.now() + dt.timedelta(minutes=1))

    report_pulls._check_apart(account.laaffic_client(), batch, report_pulls.Patience())

    assert hanging.requests == 0


def test_replies_of_many_applications_end_before_the_job_is_killed(application: Application, hanging: Hanging) -> None:
    for n in range(6):
        one = Application.objects.create(app_id=f"hangs{n}", channel="sms")
        Campaign.objects.create(name="x", application=one, text="x")

    reply_pulls.pull_due()
    first = hanging.requests
    hanging.requests = 0
    reply_pulls.pull_due()

    assert first >= 1
    assert first * LONGEST < bell.options_of(reply_pulls.JOB)["timeout"]
    assert (hanging.kept, hanging.believed) == (True, True)
    assert hanging.requests >= 1
    assert reply_pulls.due().count() == 6 - first - hanging.requests


def test_probes_of_many_holds_end_before_the_job_is_killed(hanging: Hanging) -> None:
    for n in range(6):
        one = Application.objects.create(app_id=f"hangs{n}", channel="sms")
        AccountHold.objects.create(
            scope=f"application:{one.pk}",
            application=one,
            code="-1",
            sentence="held",
            placed_at=timezone.now(),
            probe_wait=15,
            next_probe_at=timezone.now() - dt.timedelta(minutes=1),
        )

    account_hold.probe()

    assert hanging.requests >= 1
    assert hanging.requests * LONGEST < settings.Q_CLUSTER["timeout"]
    assert (hanging.kept, hanging.believed) == (True, True)

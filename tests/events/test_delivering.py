"""Delivering: at least once, in order for each key, and nobody is held up by a target that misbehaves."""

import datetime as dt
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import wait
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

from laaffic_console.audit.models import AuditEntry
from laaffic_console.events import addresses, host_names, posting
from laaffic_console.events.kinds import Kind
from laaffic_console.events.models import Delivery, Event, Webhook
from laaffic_console.events.services import delivering, delivery_writes, outbox, retention, webhooks
from laaffic_console.events.services.outbox import Happening
from laaffic_console.gateway.models import Trouble
from laaffic_console.gateway.services.work import leases
from tests.events.receivers import Receiver, answer, receiving

pytestmark = pytest.mark.django_db

STATE = [Kind.CAMPAIGN_STATE.value]


def happen(*abouts: str, kind: str = Kind.CAMPAIGN_STATE) -> None:
    outbox.record_many([kind], lambda: [Happening(kind, about, {"n": n}) for n, about in enumerate(abouts)])


def pass_time() -> None:
    """What waits for later is due, and whoever rests has rested."""
    Delivery.objects.filter(state="waiting").update(next_at=timezone.now() - dt.timedelta(seconds=1))
    Webhook.objects.update(rests_until=None)


def test_an_event_arrives_signed_and_is_written_down(receiver: Receiver) -> None:
    webhook, secret = webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    delivering.deliver()
    [(headers, body)] = receiver.got
    Signer(secret).verify(body, headers)
    said = json.loads(body)
    assert (said["type"], said["data"]) == ("campaign.state", {"n": 0})
    assert said["timestamp"].endswith("Z")
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts) == ("delivered", 204, 1)
    webhook.refresh_from_db()
    assert webhook.last_ok_at
    assert secret not in str(Webhook.objects.values()) + str(AuditEntry.objects.values())


def test_nothing_is_written_where_nobody_listens(receiver: Receiver, django_assert_num_queries: Any) -> None:
    webhook, _secret = webhooks.create(receiver.url, [Kind.REPLY_RECEIVED.value])
    asked = []
    with django_assert_num_queries(1):
        outbox.record_many([Kind.MESSAGE_DELIVERED], lambda: asked.append(1) or [])
    webhooks.disable(webhook.pk, "gone")
    happen("number:1", kind=Kind.REPLY_RECEIVED)
    assert not asked
    assert not Event.objects.exclude(kind=Kind.WEBHOOK_DISABLED).exists()  # which people are told of


def test_a_rollback_leaves_no_event(receiver: Receiver) -> None:
    webhooks.create(receiver.url, STATE)
    with transaction.atomic():
        happen("campaign:1")
        assert Delivery.objects.exists()
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()


def test_a_receiver_that_dies_for_a_while_misses_nothing(receiver: Receiver) -> None:
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen(*["campaign:1", "campaign:2"] * 3)
    receiver.close()
    for _round in range(4):
        delivering.deliver()
        webhook.refresh_from_db()
        assert webhook.rests_until
        assert webhook.failing_since
        assert webhook.problem == "unreachable"
        pass_time()
    happen("campaign:1")
    with receiving(receiver.port) as back:
        pass_time()
        delivering.deliver()
        bodies = [json.loads(body)["data"]["n"] for _headers, body in back.got]
        assert sorted(bodies) == [0, 0, 1, 2, 3, 4, 5]
        order = [int(one.split("_")[1]) for one in back.ids]
        keys = dict(Event.objects.values_list("pk", "about"))
        for about in ("campaign:1", "campaign:2"):
            of_key = [pk for pk in order if keys[pk] == about]
            assert of_key == sorted(of_key)
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since, webhook.problem) == (0, None, "")


def test_a_later_event_waits_for_the_earlier_one_of_its_key(receiver: Receiver) -> None:
    webhooks.create(receiver.url, STATE)
    happen("campaign:1", "campaign:1", "campaign:2")
    first, second, other = Event.objects.order_by("pk")
    receiver.act = lambda handler: answer(handler, 500 if first.webhook_id in handler.headers["webhook-id"] else 200)
    delivering.deliver()
    assert second.webhook_id not in receiver.ids
    assert other.webhook_id in receiver.ids
    receiver.act = None
    pass_time()
    delivering.deliver()
    assert receiver.ids[-2:] == [first.webhook_id, second.webhook_id]
    assert not Delivery.objects.exclude(state="delivered").exists()


def test_what_was_posted_and_not_written_down_is_posted_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhooks.create(receiver.url, STATE)
    happen("campaign:1")

    def killed(_rows: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(delivery_writes, "write", killed)
        with pytest.raises(SystemExit):
            delivering.deliver()
    delivering.deliver()
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


@pytest.mark.parametrize(("status", "code"), [(301, "redirect"), (500, "status"), (404, "status")])
def test_what_is_no_success_is_tried_again(receiver: Receiver, status: int, code: str) -> None:
    with receiving() as elsewhere:
        receiver.act = lambda handler: answer(handler, status, Location=elsewhere.url)
        webhooks.create(receiver.url, STATE)
        happen("campaign:1")
        delivering.deliver()
        assert not elsewhere.got
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status, delivery.problem) == ("waiting", status, code)
    assert delivery.next_at > delivery.tried_at
    assert str(status) in delivery.why


def test_gone_disables_at_once(receiver: Receiver) -> None:
    other, _secret = webhooks.create(receiver.url + "/other", [Kind.WEBHOOK_DISABLED.value])
    webhook, _secret = webhooks.create(receiver.url, STATE)
    receiver.act = lambda handler: answer(handler, 410 if handler.path == "/hooks" else 200)
    happen("campaign:1")
    delivering.deliver()
    webhook.refresh_from_db()
    assert (webhook.state, webhook.problem) == ("disabled", "gone")
    assert Delivery.objects.get(webhook=webhook).state == "failed"
    assert Event.objects.filter(kind=Kind.WEBHOOK_DISABLED, deliveries__webhook=other).exists()
    assert "disabled" in AuditEntry.objects.latest("id").details["event"]


def test_ten_megabytes_are_not_read(receiver: Receiver) -> None:
    sent = []

    def flood(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10_000_000))
        handler.end_headers()
        try:
            for _n in range(100):
                handler.wfile.write(b"x" * 100_000)
                sent.append(1)
        except OSError:
            handler.close_connection = True

    receiver.act = flood
    webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    delivering.deliver()
    time.sleep(0.2)
    assert len(sent) < 100
    assert Delivery.objects.get().state == "delivered"


def test_one_that_hangs_or_drips_holds_up_nobody(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "SECONDS", 4.0)
    ended = threading.Event()

    def drip(handler: Any) -> None:
        try:
            while not ended.wait(0.1):
                handler.wfile.write(b"H")
        except OSError:
            handler.close_connection = True

    receiver.act = drip
    webhooks.create(receiver.url, STATE)
    arrived: list[float] = []
    began = time.monotonic()
    with receiving() as well:
        well.act = lambda handler: (arrived.append(time.monotonic() - began), answer(handler, 200))
        webhooks.create(well.url, STATE)
        happen(*(f"campaign:{n}" for n in range(20)))
        delivering.deliver()
        assert len(well.got) == 20
    ended.set()
    assert max(arrived) < 4.0
    assert time.monotonic() - began < 60
    bad = Delivery.objects.filter(webhook__url=receiver.url)
    assert set(bad.exclude(attempts=0).values_list("problem", "detail")) == {("timeout", "4")}
    assert bad.exclude(attempts=0).count() == delivering.CONNECTIONS


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """Of a server that takes connections and reads nothing from them."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def during_a_round(monkeypatch: pytest.MonkeyPatch, after: float, do: Any) -> None:
    """Something that happens so many seconds after a round has begun, by the thread that has the database."""
    look, began, done = delivering._Round._look_at_the_clock, time.monotonic(), []

    def look_and_do(round_: delivering._Round) -> None:
        if not done and time.monotonic() - began > after:
            done.append(do())
        look(round_)

    monkeypatch.setattr(delivering._Round, "_look_at_the_clock", look_and_do)


def test_one_that_hangs_past_the_slice_delays_nobody(
    receiver: Receiver, hanging_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "SECONDS", 4.0)
    monkeypatch.setattr(delivering, "SLICE_SECONDS", 0.2)
    monkeypatch.setattr(delivering, "OPEN_EVERY", 0.05)
    hangs, _secret = webhooks.create(f"http://127.0.0.1:{hanging_port}/hooks", STATE)
    webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    arrived: list[float] = []
    began = time.monotonic()
    receiver.act = lambda handler: (arrived.append(time.monotonic() - began), answer(handler, 200))
    during_a_round(monkeypatch, 0.4, lambda: happen("campaign:2"))
    delivering.deliver()

    assert len(arrived) == 2
    assert arrived[1] < 4.0  # long before the other one is given up
    assert Delivery.objects.get(webhook=hangs, order_key="campaign:1").problem == "timeout"


def test_one_that_begins_to_hang_past_the_slice_makes_no_round_longer(
    receiver: Receiver, hanging_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not to blame for that: it was left before its time, and is posted to again at once."""
    monkeypatch.setattr(posting, "SECONDS", 1.2)
    monkeypatch.setattr(delivering, "SLICE_SECONDS", 0.2)
    monkeypatch.setattr(delivering, "LAST_SECONDS", 0.1)
    monkeypatch.setattr(delivering, "OPEN_EVERY", 0.05)
    webhooks.create(f"http://127.0.0.1:{hanging_port}/hooks", STATE)
    later, _secret = webhooks.create(f"http://127.0.0.1:{hanging_port}/later", [Kind.REPLY_RECEIVED.value])
    happen("campaign:1")
    during_a_round(monkeypatch, 0.8, lambda: happen("number:1", kind=Kind.REPLY_RECEIVED))
    delivering.deliver()

    left = Delivery.objects.get(webhook=later)
    # Waited for to its end it would be ("waiting", 1, "timeout").
    assert (left.state, left.attempts, left.problem) == ("waiting", 0, "")
    assert left.next_at <= timezone.now()
    later.refresh_from_db()
    assert (later.failures, later.problem) == (0, "")


def test_those_that_wait_for_nothing_take_nobody_s_turn(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "WEBHOOKS_AT_ONCE", 1)
    for _n in range(2):
        webhooks.create(receiver.url + "/other", [Kind.WEBHOOK_DISABLED.value])
    webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    assert delivering.is_anything_due()
    delivering.deliver()
    assert Delivery.objects.get().state == "delivered"


def test_refusals_before_the_first_success_hold_up_nothing_behind_them(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many that it seemed away; what was on its way meanwhile says that it is not."""
    webhooks.create(receiver.url, STATE)
    happen(*(f"campaign:{n}" for n in range(60)))
    refused = {event.webhook_id for event in Event.objects.order_by("pk")[: delivering.ENOUGH]}
    everybody_is_there = threading.Barrier(delivering.CONNECTIONS)

    def act(handler: Any) -> None:
        is_refused = handler.headers["webhook-id"] in refused
        if is_refused:
            everybody_is_there.wait(60)
        else:
            time.sleep(0.05)  # it has not answered when the last refusal comes
        answer(handler, 400 if is_refused else 200)

    receiver.act = act
    monkeypatch.setattr(delivering, "SLICE_SECONDS", 60.0)
    began = time.monotonic()
    delivering.deliver()
    assert Delivery.objects.filter(state="delivered").count() == 60 - len(refused)
    assert set(Delivery.objects.exclude(state="delivered").values_list("problem", "attempts")) == {("status", 1)}
    assert time.monotonic() - began < delivering.SLICE_SECONDS


def test_after_three_days_of_failures_it_is_disabled_and_what_waits_stays(receiver: Receiver) -> None:
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen("campaign:1", "campaign:2")
    receiver.close()
    delivering.deliver()
    long_ago = timezone.now() - dt.timedelta(days=4)
    Webhook.objects.update(failing_since=long_ago)
    Delivery.objects.filter(order_key="campaign:1").update(first_tried_at=long_ago)
    pass_time()
    delivering.deliver()
    webhook.refresh_from_db()
    assert (webhook.state, webhook.problem) == ("disabled", "failing")
    assert set(Delivery.objects.values_list("order_key", "state")) == {
        ("campaign:1", "failed"),
        ("campaign:2", "waiting"),
    }
    with receiving(receiver.port) as back:
        webhooks.resume(webhook)
        pass_time()
        delivering.deliver()
        assert len(back.got) == 1
        assert webhooks.redeliver(Delivery.objects.get(order_key="campaign:1"))
        delivering.deliver()
        assert len(back.got) == 2


def test_after_resume_what_had_been_tried_is_tried_for_three_days_anew(receiver: Receiver) -> None:
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    receiver.close()
    delivering.deliver()
    webhooks.pause(webhook)
    Delivery.objects.update(first_tried_at=timezone.now() - dt.timedelta(days=4))

    webhooks.resume(webhook)
    pass_time()
    delivering.deliver()

    assert Delivery.objects.get().state == "waiting"


def later(hours: float = 4) -> dt.datetime:
    return timezone.now() + dt.timedelta(hours=hours)


def test_resumed_what_waits_leaves_at_once_and_is_tried_as_patiently_as_what_is_new(receiver: Receiver) -> None:
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    tried_long = {"attempts": 14, "first_tried_at": timezone.now() - dt.timedelta(days=3), "next_at": later()}
    Delivery.objects.update(**tried_long)
    webhooks.disable(webhook.pk, "failing", "3")
    receiver.act = lambda handler: answer(handler, 500)

    webhooks.resume(webhook)
    delivering.deliver()

    assert len(receiver.got) == 1
    assert Delivery.objects.get().next_at < timezone.now() + dt.timedelta(minutes=1)


def test_redelivered_it_is_tried_as_patiently_as_what_is_new(receiver: Receiver) -> None:
    webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    Delivery.objects.update(state="failed", attempts=30, first_tried_at=timezone.now() - dt.timedelta(days=4))
    receiver.act = lambda handler: answer(handler, 500)

    webhooks.redeliver(Delivery.objects.get())
    delivering.deliver()

    assert Delivery.objects.get().next_at < timezone.now() + dt.timedelta(minutes=1)


def test_with_another_secret_what_was_refused_is_tried_at_once(receiver: Receiver) -> None:
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    Delivery.objects.update(problem="status", detail="401", status=401, next_at=later())

    webhooks.rotate(webhook)
    delivering.deliver()

    assert len(receiver.got) == 1


def test_of_a_machine_whose_clock_is_ahead_nothing_waits_for_that(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the web process's; who waits for that event in turn would wait too. SQLite has no other clock."""
    webhooks.create(receiver.url, STATE)
    real = timezone.now
    with monkeypatch.context() as ahead:
        ahead.setattr(timezone, "now", lambda: real() + dt.timedelta(hours=10))
        happen("campaign:1")
    happen("campaign:1")
    Webhook.objects.update(rests_until=later(10))

    if connection.vendor == "sqlite":
        delivering.ring_if_due()
    else:
        Webhook.objects.update(rests_until=None)
    for _key in range(2):
        delivering.deliver()

    assert len(receiver.got) == 2


@pytest.mark.parametrize("is_away", [False, True])
def test_after_a_standstill_of_the_console_the_three_days_begin_anew(receiver: Receiver, is_away: bool) -> None:
    """Nobody tried meanwhile, or this is an older backup: a receiver that is starting too loses nothing."""
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    receiver.close()
    delivering.deliver()
    long_ago = timezone.now() - dt.timedelta(days=4)
    Delivery.objects.update(first_tried_at=long_ago, next_at=long_ago)
    rests = {"failing_since": long_ago, "rests_until": long_ago}
    Webhook.objects.update(**(rests if is_away else {"failing_since": None, "rests_until": None}))

    delivering.deliver()

    webhook.refresh_from_db()
    assert (webhook.state, Delivery.objects.get().state) == ("active", "waiting")


def test_who_waits_long_for_its_turn_with_a_receiver_that_is_away_is_given_up(receiver: Receiver) -> None:
    """A few attempts a minute for very many that wait: that they are late is no standstill."""
    webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    receiver.close()
    delivering.deliver()
    long_ago = timezone.now() - dt.timedelta(days=4)
    Delivery.objects.update(first_tried_at=long_ago, next_at=long_ago)
    Webhook.objects.update(rests_until=timezone.now())

    delivering.deliver()

    assert Delivery.objects.get().state == "failed"


def test_a_backlog_is_resumed_in_slices_before_anything_of_it_may_leave(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement for a million rows would keep SQLite's only writer from everybody else."""
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen(*(f"campaign:{n}" for n in range(5)))
    webhooks.pause(webhook)
    Delivery.objects.update(first_tried_at=timezone.now() - dt.timedelta(days=4))
    monkeypatch.setattr(delivery_writes, "AT_ONCE", 2)

    with CaptureQueriesContext(connection) as queries:
        webhooks.resume(webhook)

    written = [query["sql"].split()[1] for query in queries.captured_queries if query["sql"].startswith("UPDATE")]
    assert written == ['"events_delivery"'] * 3 + ['"events_webhook"']
    assert not Delivery.objects.exclude(first_tried_at=None).exists()


def test_resuming_what_is_active_gives_it_no_more_time(receiver: Receiver) -> None:
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    Delivery.objects.update(first_tried_at=timezone.now())

    assert not webhooks.resume(webhook)

    assert not Delivery.objects.filter(first_tried_at=None).exists()


def test_a_thousand_failures_stop_no_other_webhook(receiver: Receiver) -> None:
    dead, _secret = webhooks.create("http://127.0.0.1:9/", STATE)
    webhooks.create(receiver.url, STATE)
    a_day_ago = timezone.now() - dt.timedelta(days=1)
    Webhook.objects.filter(pk=dead.pk).update(failures=5000, failing_since=a_day_ago)
    happen("campaign:1")

    delivering.deliver()

    dead.refresh_from_db()
    assert dead.rests_until > timezone.now()
    assert len(receiver.got) == 1


def test_a_fault_with_one_webhook_stops_no_other(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, _secret = webhooks.create(receiver.url, STATE)
    gone, _secret = webhooks.create(receiver.url, STATE)
    webhooks.create(receiver.url, STATE)
    begin = delivering._Lane._begin

    def fails(lane: Any) -> None:
        if lane.webhook.pk == gone.pk:
            webhooks.delete(gone)
        if lane.webhook.pk in (bad.pk, gone.pk):
            raise ZeroDivisionError
        begin(lane)

    monkeypatch.setattr(delivering._Lane, "_begin", fails)
    happen("campaign:1")

    delivering.deliver()

    assert len(receiver.got) == 1
    assert list(Trouble.objects.values_list("name", flat=True)) == [f"webhook {bad.pk}"]
    monkeypatch.undo()
    delivering.deliver()
    assert not Trouble.objects.exists()


def test_what_cannot_be_written_down_is_not_posted_again_at_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    rung: list[str] = []
    monkeypatch.setattr(delivering.bell, "ring_once_a_second", rung.append)
    monkeypatch.setattr(delivering, "OPEN_EVERY", 0.0)

    def fails(_rows: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(delivery_writes, "write", fails)

    delivering.deliver()

    assert len(receiver.got) == 1
    assert rung == []


def test_what_waits_for_a_later_try_is_passed_by_an_index(receiver: Receiver) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of few rows PostgreSQL reads all")
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen(*[f"campaign:{n}" for n in range(50)])

    with CaptureQueriesContext(connection) as asked:
        list(delivering._awake())
        list(delivering._due(webhook).select_related("event")[:4])
        delivery_writes.wake(webhook.pk, timezone.now())

    plans = [plan_of(one["sql"]) for one in asked if one["sql"].startswith("SELECT")]
    assert len(plans) == 3
    assert ["delivery_due (webhook_id=? AND next_at" in plan for plan in plans] == [True] * 3
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return str(cursor.fetchall())


def test_one_that_is_back_gets_what_waited_piece_after_piece(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_writes, "AT_ONCE", 3)
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen(*[f"campaign:{n}" for n in range(10)])
    now = timezone.now()
    asleep = {"tried_at": now, "next_at": now + dt.timedelta(hours=4), "problem": "unreachable"}
    Delivery.objects.exclude(pk=min(Delivery.objects.values_list("pk", flat=True))).update(**asleep)
    Webhook.objects.update(failures=delivering.WAKE_AFTER, failing_since=now - dt.timedelta(hours=1))

    delivering.deliver()

    assert len(receiver.ids) == len(set(receiver.ids)) == 10
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since) == (0, None)


def test_one_that_was_back_for_a_moment_is_not_disabled_for_before(receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOKS_DISABLE_AFTER = dt.timedelta(days=3)
    webhook, _secret = webhooks.create(receiver.url, STATE)
    now = timezone.now()
    since = {"failing_since": now - dt.timedelta(days=4), "last_ok_at": now - dt.timedelta(minutes=1)}
    Webhook.objects.update(failures=delivering.WAKE_AFTER, **since)
    happen("campaign:1")
    receiver.close()

    delivering.deliver()

    webhook.refresh_from_db()
    assert (webhook.state, webhook.failures) == ("active", delivering.WAKE_AFTER + 1)


def test_paused_its_events_wait_and_rotated_both_sign(receiver: Receiver) -> None:
    webhook, old = webhooks.create(receiver.url, STATE)
    webhooks.pause(webhook)
    happen("campaign:1")
    delivering.deliver()
    assert not receiver.got
    new = webhooks.rotate(webhook)
    webhooks.resume(webhook)
    delivering.deliver()
    [(headers, body)] = receiver.got
    for secret in (old, new):
        Signer(secret).verify(body, headers)
    Webhook.objects.update(old_secret=f"{timezone.now().timestamp() - 1:.0f}:{'x' * 9}")
    webhooks.test(webhook)
    delivering.deliver()
    assert len(receiver.got[1][0]["webhook-signature"].split()) == 1


def test_rotated_again_within_the_day_the_receivers_secret_still_signs(receiver: Receiver) -> None:
    """The first new one was lost, and nobody gave it to the receiver."""
    webhook, old = webhooks.create(receiver.url, STATE)
    secrets = [old, *(webhooks.rotate(webhook) for _time in range(2))]
    happen("campaign:1")

    delivering.deliver()

    [(headers, body)] = receiver.got
    for secret in secrets:
        Signer(secret).verify(body, headers)
    for _time in range(9):
        webhooks.rotate(webhook)
    webhook.refresh_from_db()
    assert len(webhooks.signers(webhook, timezone.now())) == 1 + webhooks.OLD_SECRETS


def test_rotating_again_gives_no_older_secret_another_day(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook, _leaked = webhooks.create(receiver.url, STATE)
    real = timezone.now
    webhooks.rotate(webhook)
    with monkeypatch.context() as clock:
        clock.setattr(timezone, "now", lambda: real() + dt.timedelta(hours=20))
        webhooks.rotate(webhook)
        webhook.refresh_from_db()
        assert len(webhooks.signers(webhook, timezone.now())) == 3

    webhook.refresh_from_db()
    assert len(webhooks.signers(webhook, real() + dt.timedelta(hours=25))) == 2
    webhook.old_secret = webhook.old_secret.rpartition(":")[2]  # as an earlier version kept it
    assert len(webhooks.signers(webhook, real() + dt.timedelta(hours=25))) == 2


def test_another_secret_key_says_what_to_do(receiver: Receiver, settings: Any) -> None:
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    settings.SECRET_KEY = "another"
    delivering.deliver()
    assert not receiver.got
    assert "new secret" in Delivery.objects.get().why
    webhooks.rotate(webhook)
    pass_time()
    delivering.deliver()
    assert len(receiver.got) == 1


def test_old_ones_are_swept_away(receiver: Receiver) -> None:
    webhooks.create(receiver.url, STATE)
    happen("campaign:1", "campaign:2")
    Event.objects.filter(about="campaign:1").update(created_at=timezone.now() - dt.timedelta(days=31))
    assert retention.sweep() == 1
    assert Delivery.objects.get().order_key == "campaign:2"


def test_an_address_that_nobody_knows_yet_is_kept_and_one_that_is_too_long_is_not() -> None:
    webhooks.check_address("https://nobody-knows-this.invalid/hook")

    with pytest.raises(ValidationError, match="longer than 500"):
        webhooks.check_address(f"https://example.com/{'x' * 500}")


def test_it_is_disabled_once(receiver: Receiver) -> None:
    webhook, _secret = webhooks.create(receiver.url, STATE)
    webhooks.disable(webhook.pk, "gone")

    webhooks.disable(webhook.pk, "failing")

    webhook.refresh_from_db()
    assert webhook.problem == "gone"


def test_a_lost_bell_is_rung_again_unless_somebody_is_at_it(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    rung: list[str] = []
    monkeypatch.setattr(delivering.bell, "ring", rung.append)

    with leases.lease(delivering.LEASE):
        delivering.ring_if_due()
    assert rung == []
    delivering.ring_if_due()

    assert len(rung) == 1


def test_one_that_is_paused_before_its_turn_gets_nothing(receiver: Receiver) -> None:
    webhook, _secret = webhooks.create(receiver.url, STATE)
    happen("campaign:1")
    Webhook.objects.update(state=Webhook.State.PAUSED)
    lane = delivering._Lane(webhook)

    lane._begin()

    assert lane.is_done
    assert receiver.got == []


def test_an_address_that_is_none_any_more_holds_up_nobody_else(receiver: Receiver) -> None:
    odd, _secret = webhooks.create(receiver.url, STATE)
    webhooks.create(receiver.url, STATE)
    Webhook.objects.filter(pk=odd.pk).update(url="https://example.com:0/hooks")
    happen("campaign:1")
    delivering.deliver()

    assert len(receiver.got) == 1
    failed = Delivery.objects.get(webhook=odd)
    assert (failed.state, failed.problem) == ("waiting", "url")
    odd.refresh_from_db()
    assert (odd.problem, odd.failures) == ("url", 1)


@pytest.fixture
def hanging_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A name server that answers nothing for names in .example until the test is over; what it was asked."""
    ended, asked, true_lookup = threading.Event(), [], socket.getaddrinfo

    def lookup(host: str, *args: Any, **more: Any) -> Any:
        if host.endswith(".example"):
            asked.append(host)
            ended.wait()
        return true_lookup(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(host_names, "SECONDS", 0.5)
    yield asked
    ended.set()


def test_a_name_server_that_hangs_holds_up_nobody_else(receiver: Receiver, hanging_names: list[str]) -> None:
    slow, _secret = webhooks.create("https://hangs.example/hooks", STATE)
    webhooks.create(receiver.url, STATE)
    happen(*(f"campaign:{n}" for n in range(20)))
    began = time.monotonic()
    delivering.deliver()

    assert time.monotonic() - began < 20
    assert len(receiver.got) == 20
    tried = Delivery.objects.filter(webhook=slow).exclude(attempts=0)
    assert set(tried.values_list("state", "problem", "detail")) == {("waiting", "lookup", "hangs.example")}
    assert hanging_names == ["hangs.example"]  # also by eight connections, and when it was made
    slow.refresh_from_db()
    assert slow.problem == "lookup"


def test_at_the_end_of_a_turn_nobody_waits_for_a_name_server(
    receiver: Receiver, hanging_names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, _secret = webhooks.create("https://hangs.example/hooks", STATE)
    monkeypatch.setattr(host_names, "SECONDS", 30.0)
    monkeypatch.setattr(delivering, "SLICE_SECONDS", 0.3)
    happen("campaign:1")
    began = time.monotonic()
    delivering.deliver()

    assert time.monotonic() - began < 20
    assert list(Delivery.objects.filter(webhook=slow).values_list("state", "attempts")) == [("waiting", 0)]
    slow.refresh_from_db()
    assert (slow.failures, slow.problem) == (0, "")


def test_a_line_whose_name_was_not_found_can_be_used_again(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    line = posting.Line(addresses.parse(receiver.url))
    monkeypatch.setattr(host_names, "addresses_of", mock.Mock(side_effect=[OSError("nobody knows"), ["127.0.0.1"]]))

    answers = [line.post(b"{}", {}) for _n in range(2)]
    line.close()
    assert [one and (one.status, one.problem) for one in answers] == [(None, "name"), (204, "")]


class PausedMeanwhileTests:
    """Somebody pauses a webhook while an attempt waits for its answer: that is the last word on it."""

    @pytest.fixture
    def webhook(self, receiver: Receiver) -> Webhook:
        receiver.act = lambda handler: answer(handler, self.status)
        webhook, _secret = webhooks.create(receiver.url, STATE)
        happen("campaign:1")
        return webhook

    status = 500

    def attempted(self, webhook: Webhook) -> delivering._Lane:
        """A lane with its answer, of which nothing is written."""
        lane = delivering._Lane(webhook)
        lane._begin()
        wait(lane.running)
        lane.running = []
        return lane

    def test_gone_does_not_disable_it(self, webhook: Webhook) -> None:
        self.status = 410
        lane = self.attempted(webhook)
        webhooks.pause(webhook)

        lane._write()
        happen("campaign:2")

        webhook.refresh_from_db()
        assert webhook.state == "paused"
        assert Delivery.objects.filter(state="waiting").count() == 1
        lane.close()

    @pytest.mark.parametrize("is_resumed", [True, False])
    def test_three_days_of_failures_are_forgotten(self, webhook: Webhook, is_resumed: bool) -> None:
        Webhook.objects.update(failures=9, failing_since=timezone.now() - dt.timedelta(days=4))
        lane = self.attempted(webhook)
        webhooks.pause(webhook)
        if is_resumed:
            webhooks.resume(webhook)

        lane.look_after(is_over=True)

        webhook.refresh_from_db()
        assert webhook.state == ("active" if is_resumed else "paused")
        assert (webhook.failing_since, webhook.failures, webhook.rests_until) == (None, 0, None)
        lane.close()

    def test_a_success_is_told_and_leaves_the_rest(self, webhook: Webhook) -> None:
        self.status = 200
        lane = self.attempted(webhook)
        webhooks.pause(webhook)

        lane.look_after(is_over=True)

        webhook.refresh_from_db()
        assert (webhook.state, webhook.last_ok_at is not None) == ("paused", True)
        lane.close()


@pytest.mark.django_db
def test_what_waits_of_a_kind_that_was_deselected_is_not_sent() -> None:
    webhook, _secret = webhooks.create("http://127.0.0.1:9/", ["message.delivered", "reply.received"])
    webhooks.pause(webhook)
    outbox.record("reply.received", "reply:1", {"text": "private"})
    outbox.record("message.delivered", "message:1", {})

    webhooks.change_kinds(webhook, ["message.delivered"])

    ends = {one.event.kind: (one.state, one.problem) for one in Delivery.objects.select_related("event")}
    assert ends == {"reply.received": ("failed", "unwanted"), "message.delivered": ("waiting", "")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("is_paused", "says"), [(False, "as soon as a worker runs"), (True, "until the webhook is resumed")]
)
def test_a_test_says_when_it_leaves(capsys: pytest.CaptureFixture[str], is_paused: bool, says: str) -> None:
    webhook, _secret = webhooks.create("http://127.0.0.1:9/", ["message.delivered"])
    if is_paused:
        webhooks.pause(webhook)

    call_command("webhook", "test", str(webhook.pk))

    assert says in capsys.readouterr().out

"""Whether the parts work together, and the front page."""

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission, User
from django.core.checks import Warning  # noqa: A004
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.dashboard.health import health, health_page, metrics, support_bundle
from laaffic_console.gateway.models import (
    AccountHold,
    Application,
    BalanceReading,
    Lease,
    LedgerEntry,
    PushedBody,
    PushKind,
    Trouble,
    WorkerHeartbeat,
)
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.gateway.services.work import workers
from messaging.front import days
from messaging.models import ActivityTally, Batch, Campaign, CampaignState, MessageState, OutcomeTally
from messaging.services.tallies import hour_tallies
from tests.plans import plan

pytestmark = pytest.mark.django_db


def worker(seconds_ago: float, **fields: Any) -> None:
    beat_at = timezone.now() - dt.timedelta(seconds=seconds_ago)
    given = {"worker": f"w{seconds_ago}", "host": "h", "pid": 1, "started_at": beat_at, "beat_at": beat_at}
    WorkerHeartbeat.objects.create(**(given | fields))


class TablesTests:
    """The first of the health page's signs."""

    def test_it_says_what_waits_as_soon_as_it_waits_and_no_longer(self, admin_client: Client) -> None:
        assert "up to date" in self.said(admin_client)
        newest = MigrationRecorder.Migration.objects.filter(app="messaging").latest("pk")

        newest.delete()
        assert "1 change waits: run manage.py migrate" in self.said(admin_client)
        newest.save()
        assert "up to date" in self.said(admin_client)

    def test_what_is_on_the_disk_is_read_once_a_minute(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health_page, "_minute", lambda: -1)
        self.said(admin_client)

        monkeypatch.setattr(health_page, "MigrationLoader", None)
        assert "up to date" in self.said(admin_client)
        monkeypatch.setattr(health_page, "_minute", lambda: -2)
        with pytest.raises(TypeError):
            self.said(admin_client)

    @staticmethod
    def said(client: Client) -> str:
        return client.get(reverse("health")).content.decode()


class LookTests:
    """All that was ever pushed or sent stays: a look that each open page repeats goes through none of it."""

    def test_what_waits_is_found_by_its_index(self) -> None:
        at = timezone.now() - dt.timedelta(minutes=6)
        PushedBody.objects.create(kind="sms-reply", body="[]", received_at=at, applied_at=at)
        PushedBody.objects.create(kind="voice-report", body="[]", received_at=at)
        PushedBody.objects.create(kind="sms-report", body="[]", received_at=timezone.now())

        with CaptureQueriesContext(connection) as asked:
            found = health.due(), inbox.waiting(10), inbox.waiting()

        assert found[1:] == ((2, at), (1, at))
        assert found[0] is not None
        looks = [query["sql"] for query in asked.captured_queries if '"applied_at" IS NULL' in query["sql"]]
        assert len(looks) == 3 * len(PushKind)
        assert all("push_next" in plan(look) for look in looks)

    def test_another_unknown_request_is_found_by_its_index(self) -> None:
        for about in ("campaign", "audio file"):
            entry = ledger.prepare(interface="upload", application=None, about_kind=about, about_id=1, summary={})
            LedgerEntry.objects.filter(pk=entry.pk).update(state="unknown")

        with CaptureQueriesContext(connection) as asked:
            sign = health_page.unknown_calls()

        assert f"upload #{entry.pk}" in sign.says
        [look] = [query["sql"] for query in asked.captured_queries if "NOT" in query["sql"]]
        assert "call_other_unknown" in plan(look)


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

    def test_people_read_the_database_by_its_own_name(self, admin_client: Client) -> None:
        shown = [admin_client.get(page).content.decode() for page in (reverse("health"), "/admin/")]

        assert all(connection.display_name in page and f">{connection.vendor}<" not in page for page in shown)

    def test_it_shows_the_last_sweep_and_the_oldest_thing_that_is_due(self, client: Client) -> None:
        worker(5)
        workers.note_sweep()
        PushedBody.objects.create(kind="sms-report", body="{}", received_at=timezone.now() - dt.timedelta(seconds=40))

        answer = client.get("/readyz")

        assert answer.status_code == 200
        assert answer.json()["sweep"] == "just now"
        assert answer.json()["due"].startswith("a pushed body, for 4")

    def test_a_second_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = timezone.now()
        monkeypatch.setattr("laaffic_console.dashboard.health.health.database_clock.now", lambda: now)
        PushedBody.objects.create(kind="sms-report", body="{}", received_at=now - dt.timedelta(seconds=1))

        due = health.due()

        assert due is not None
        assert due.says == "a pushed body, for 1 second"

    @pytest.mark.parametrize("seconds", [-3600, 120, 86_400])
    def test_a_sweep_that_is_long_ago_or_of_a_wrong_clock_is_not_ready(self, client: Client, seconds: int) -> None:
        worker(5)
        workers.note_sweep()
        Lease.objects.filter(name=workers.SWEPT).update(until=timezone.now() - dt.timedelta(seconds=seconds))

        assert client.get("/readyz").status_code == 503

    def test_workers_that_never_swept_are_not_ready(self, client: Client) -> None:
        worker(5, started_at=timezone.now() - dt.timedelta(minutes=5))

        assert client.get("/readyz").json()["sweep"] == "none yet"

    def test_a_heartbeat_of_a_clock_that_is_ahead_is_none(self, client: Client) -> None:
        worker(-3600)

        assert client.get("/readyz").status_code == 503

    def test_a_stale_heartbeat_is_none(self, client: Client) -> None:
        worker(31)

        assert client.get("/readyz").status_code == 503

    def test_one_that_stands_still_is_to_be_looked_at_and_not_joined_by_another(self, client: Client) -> None:
        worker(95)

        said = client.get("/readyz").json()["worker"]

        assert said.startswith(("none has been heard of for 95 s", "none has been heard of for 96 s"))
        assert "restart it" in said

    def test_a_worker_that_stopped_is_none(self, client: Client) -> None:
        worker(1, stopped_at=timezone.now())

        assert client.get("/readyz").status_code == 503

    def test_a_queue_that_is_gone_is_said(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone() -> None:
            raise OperationalError("no secret of ours")

        worker(5)
        monkeypatch.setattr(health.bells, "of_ringing", gone)

        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["queue"] == "OperationalError"

    def test_when_the_last_push_came(self) -> None:
        assert health.last_push_at() is None

        body = PushedBody.objects.create(kind="sms-report", body="[]", received_at=timezone.now())

        assert health.last_push_at() == body.received_at


class HealthPageTests:
    def page(self, client: Client) -> dict[str, Any]:
        answer = client.get(reverse("health"))
        assert answer.status_code == 200
        return {sign.name: sign for sign in answer.context["signs"]} | {"said": answer.content.decode()}

    def test_an_empty_console_says_that_no_worker_runs(self, admin_client: Client) -> None:
        shown = self.page(admin_client)

        assert (shown["Workers"].tone, shown["Tables"].tone) == ("bad", "good")
        assert "manage.py worker" in shown["said"]
        assert "none seen yet" in shown["said"]

    @pytest.mark.parametrize(
        ("times", "says"), [(1, "it broke (once, 5 min ago)"), (3, "it broke (3 times, last 5 min")]
    )
    def test_what_failed_is_told_with_how_often(self, times: int, says: str) -> None:
        at = timezone.now() - dt.timedelta(minutes=5, seconds=30)
        Trouble.objects.create(name="sweep", problem="it broke", first_at=at, last_at=at, times=times)

        assert says in health_page.troubles()[0].says

    def test_workers_are_shown_with_their_heartbeats(self, admin_client: Client) -> None:
        worker(5, worker="alive-one")
        worker(500, worker="silent-one", restarts=3)
        worker(900, worker="stopped-one", stopped_at=timezone.now())

        rows = admin_client.get(reverse("health")).context["workers"]

        assert {row["worker"].worker: row["word"] for row in rows} == {
            "alive-one": "alive",
            "silent-one": "silent",
            "stopped-one": "stopped",
        }

    def test_a_wrong_clock_is_named_with_its_machine(self, admin_client: Client) -> None:
        worker(1, worker="a", host="box-a", clock_skew=1.2)
        worker(2, worker="b", host="box-b", clock_skew=-95.0)

        shown = self.page(admin_client)

        assert shown["Clock"].tone == "warn"
        assert shown["Clock"].says.startswith("box-b is 95 s ahead of Laaffic")

    def test_clocks_that_agree_are_well(self, admin_client: Client) -> None:
        worker(1, clock_skew=-1.2)

        assert self.page(admin_client)["Clock"].tone == "good"

    @pytest.mark.parametrize(("balance", "minutes", "tone"), [("50", 1, "good"), ("5", 1, "warn"), ("50", 60, "warn")])
    def test_the_balance_with_its_age(
        self, admin_client: Client, settings: Any, balance: str, minutes: int, tone: str
    ) -> None:
        settings.LAAFFIC_BALANCE_ALERT = Decimal(10)
        at = timezone.now() - dt.timedelta(minutes=minutes)
        BalanceReading.objects.create(at=at, balance=Decimal(balance))

        assert self.page(admin_client)["Balance"].tone == tone

    def test_callbacks_by_kind(self, admin_client: Client) -> None:
        at = timezone.now() - dt.timedelta(hours=3)
        PushedBody.objects.create(kind="sms-reply", body="[]", received_at=at)

        seen = dict(admin_client.get(reverse("health")).context["callbacks"])

        assert {kind for kind, when in seen.items() if when} == {"SMS reply"}

    @pytest.mark.parametrize(("hours", "tone"), [(1, "warn"), (30, "bad")])
    def test_the_oldest_unknown(self, admin_client: Client, application: Application, hours: int, tone: str) -> None:
        campaign = Campaign.objects.create(name="A", application=application, text="Hi")
        for back in (0, hours, 0):  # the oldest is not the first
            call = ledger.prepare(interface="x", application=None, about_kind="x", about_id=None, summary={})
            LedgerEntry.objects.filter(pk=call.pk).update(left_at=timezone.now() - dt.timedelta(hours=back))
            unknown = 9 if back else 5
            Batch.objects.create(
                campaign=campaign,
                first_message_id=1,
                last_message_id=9,
                size=9,
                unknown=unknown,
                state="unknown",
                entry=call,
            )

        sign = self.page(admin_client)["Oldest unknown"]

        assert sign.tone == tone
        assert sign.says.startswith(f"9 messages of campaign {campaign.pk}")

    def test_a_database_without_trigrams_says_what_to_do(self, admin_client: Client) -> None:
        assert self.page(admin_client)["Search of names"].tone == "good"
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE contact_names")

        sign = self.page(admin_client)["Search of names"]

        assert (sign.tone, "manage.py migrate" in sign.says) == ("warn", True)
        assert ("CREATE EXTENSION pg_trgm" in sign.says) == (connection.vendor == "postgresql")

    def test_an_upload_whose_answer_was_lost(self, admin_client: Client) -> None:
        assert self.page(admin_client)["Other unknown calls"].tone == "good"
        call = ledger.prepare(interface="mmsUpload", application=None, about_kind="file", about_id=1, summary={})
        LedgerEntry.objects.update(state="unknown")

        sign = self.page(admin_client)["Other unknown calls"]

        assert (sign.tone, sign.says.startswith(f"mmsUpload #{call.pk}")) == ("warn", True)

    def test_pushes_that_wait_long_are_a_sign(self, admin_client: Client) -> None:
        at = timezone.now() - dt.timedelta(hours=1)
        PushedBody.objects.create(kind="sms-report", body="[]", received_at=at)

        assert self.page(admin_client)["Pushes to apply"].tone == "warn"

    def test_system_checks_are_listed(self, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        found = [Warning("Too short.", id="laaffic.W999")]
        monkeypatch.setattr(health_page, "_checked", lambda minute, language: found)

        assert "laaffic.W999" in self.page(admin_client)["said"]

    def test_a_hold_stands_on_top(self, admin_client: Client) -> None:
        account_hold.place_because("LAAFFIC_API_KEY is not set.")

        for address in (reverse("health"), reverse("admin:index")):
            assert "LAAFFIC_API_KEY is not set." in admin_client.get(address).content.decode()

    def test_it_needs_a_permission(self, client: Client) -> None:
        assert client.get(reverse("health")).status_code == 302
        user = User.objects.create_user("staff", is_staff=True)
        client.force_login(user)
        assert client.get(reverse("health")).status_code == 403

        user.user_permissions.add(Permission.objects.get(codename="view_workerheartbeat"))
        assert client.get(reverse("health")).status_code == 200

    def test_a_longer_history_costs_no_more_queries(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health_page, "_minute", lambda: -1)
        self.page(admin_client)
        with CaptureQueriesContext(connection) as few:
            self.page(admin_client)
        for n in range(20):
            worker(100 + n)
            PushedBody.objects.create(kind="sms-report", body="[]", received_at=timezone.now())
            BalanceReading.objects.create(at=timezone.now(), balance=1)

        with CaptureQueriesContext(connection) as many:
            self.page(admin_client)

        # When the oldest push came, for two signs, and how old it is by the database's clock.
        assert len(many) <= len(few) + 3


class FrontPageTests:
    def test_what_the_account_holds_hides_no_campaign_that_asks(self, admin_client: Client) -> None:
        account_hold.place_because("LAAFFIC_API_KEY is not set.")
        application = Application.objects.create(app_id="a", channel="sms", name="Shop")
        held = {"application": application, "state": CampaignState.HELD}
        Campaign.objects.create(name="Asks for somebody", hold_reason="Rejected too often", **held)
        for n in range(9):
            Campaign.objects.create(name=f"Waits {n}", account_hold=AccountHold.objects.get(), **held)

        said = admin_client.get(reverse("admin:index")).content.decode()

        assert "Rejected too often" in said

    def test_what_holds_one_campaign_is_not_the_account(self, admin_client: Client) -> None:
        application = Application.objects.create(app_id="a", channel="sms", name="Shop")
        campaign = Campaign.objects.create(name="A", application=application, state=CampaignState.HELD)
        hold = account_hold.place_for_lost_answers("Answers are lost.", campaign_id=campaign.pk)
        Campaign.objects.update(account_hold=hold)

        for address in (reverse("health"), reverse("admin:index")):
            said = admin_client.get(address).content.decode()
            assert f"<strong>Campaign {campaign.pk} is held.</strong>" in said
            assert "The account is held." not in said
        listed = admin_client.get(reverse("admin:gateway_accounthold_changelist")).content.decode()

        assert f"Campaign {campaign.pk}" in listed
        assert support_bundle.health_()["the account is held"] is False
        gauges = {family.name: family.samples for family in metrics.Figures().collect()}
        assert [sample.value for sample in gauges["laaffic_account_holds"]] == [0]

    def test_each_notice_counts_what_waits_for_it(self, admin_client: Client) -> None:
        shop, other = (Application.objects.create(app_id=name, channel="sms", name=name) for name in ("Shop", "Other"))
        account_hold.place_because("No key.")
        hold = AccountHold.objects.get()
        for n in range(2):
            Campaign.objects.create(name=f"{n}", application=shop, state=CampaignState.HELD, account_hold=hold)
        AccountHold.objects.create(
            application=other, scope="application:2", sentence="Rights.", placed_at=timezone.now(), probe_wait=15
        )

        said = " ".join(admin_client.get(reverse("admin:index")).content.decode().split())

        assert "No key. 2 campaigns wait. </a>" in said
        assert f"<strong>{other} is held.</strong> Rights. </a>" in said

    def test_a_low_balance_and_a_wrong_clock_are_said(self, admin_client: Client, settings: Any) -> None:
        settings.LAAFFIC_BALANCE_ALERT = Decimal(10)
        BalanceReading.objects.create(at=timezone.now(), balance=Decimal("9.5"))
        worker(1, host="box-a", clock_skew=120.0)

        said = admin_client.get(reverse("admin:index")).content.decode()

        assert "The balance is low." in said
        assert "box-a is 120 s behind Laaffic" in said

    def test_a_threshold_of_zero_never_warns(self, admin_client: Client, settings: Any) -> None:
        settings.LAAFFIC_BALANCE_ALERT = Decimal()
        BalanceReading.objects.create(at=timezone.now(), balance=Decimal("-9.5"))

        said = admin_client.get(reverse("admin:index")).content.decode()

        assert "The balance is low." not in said
        assert "-9.50" in said

    def test_the_balance_needs_a_permission(self, client: Client) -> None:
        BalanceReading.objects.create(at=timezone.now(), balance=Decimal("9.5"))
        user = User.objects.create_user("staff", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_campaign"))
        client.force_login(user)

        assert "balance" not in client.get(reverse("admin:index")).context

    def test_a_failure_taken_back_is_not_less_than_nothing(self, application: Application) -> None:
        now = timezone.now()
        campaign = Campaign.objects.create(name="A", application=application, text="x", state="running")
        minute = now.replace(second=0, microsecond=0)
        ActivityTally.objects.create(campaign=campaign, minute=minute, state=MessageState.EXPIRED, messages=-3)

        shown = {one["key"]: one["today"] for one in days.figures(minute - dt.timedelta(hours=1), now)}

        assert shown["failed_today"] == 0

    def test_the_hour_that_clocks_repeat_is_two(self, application: Application) -> None:
        campaign = Campaign.objects.create(name="A", application=application, text="x", state="running")
        with timezone.override(ZoneInfo("Europe/Berlin")):
            for n, hour in enumerate((0, 1), 1):
                at = dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC)
                given = {"campaign": campaign, "minute": at, "state": MessageState.DELIVERED}
                ActivityTally.objects.create(**given, messages=n)
            chart = days.deliveries_chart(timezone.localtime(dt.datetime(2026, 10, 25, 5, tzinfo=dt.UTC)))

        delivered = dict(enumerate(chart["datasets"][0]["data"]))
        labels = chart["labels"]
        assert [labels[n] for n, count in delivered.items() if count] == ["02:00", "02:00"]
        assert [count for count in delivered.values() if count] == [1, 2]

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
        hour_tallies.fold()

    def test_an_empty_console_says_what_to_do_first(self, admin_client: Client) -> None:
        answer = admin_client.get(reverse("admin:index"))

        assert answer.status_code == 200
        assert [step["done"] for step in answer.context["steps"]] == [False] * 6

    def test_it_shows_what_happens(self, admin_client: Client, application: Application) -> None:
        self.fill(application, 2)

        answer = admin_client.get(reverse("admin:index"))

        figures = {figure["name"]: figure["today"] for figure in answer.context["today"]}
        assert answer.status_code == 200
        assert figures["Delivered"] == 140
        assert [(spent["currency"], spent["today"], spent["yesterday"]) for spent in answer.context["spend"]] == [
            ("USD", 21, 0)
        ]
        assert [(reason, n) for reason, n, _advice in answer.context["reasons"]] == [("absent", 14)]
        assert "Trying again later may help" in answer.content.decode()
        assert [(row["country"], row["failed"]) for row in answer.context["countries"]] == [("", 0), ("IN", 14)]
        assert len(answer.context["running"]) == 4
        assert [step["done"] for step in answer.context["steps"]][-1]

    def test_more_campaigns_cost_no_more_queries(self, admin_client: Client, application: Application) -> None:
        self.fill(application, 1)
        with CaptureQueriesContext(connection) as few:
            admin_client.get(reverse("admin:index"))
        self.fill(application, 5)

        with CaptureQueriesContext(connection) as many:
            admin_client.get(reverse("admin:index"))

        assert len(many) == len(few)
        assert not [query["sql"] for query in many if 'FROM "messaging_message"' in query["sql"]]

    def test_who_may_see_no_campaign_sees_no_figures(self, client: Client) -> None:
        client.force_login(User.objects.create_user("staff", is_staff=True))

        answer = client.get(reverse("admin:index"))

        assert answer.status_code == 200
        assert "running" not in answer.context

    def test_a_stranger_has_to_sign_in(self, client: Client) -> None:
        assert client.get(reverse("admin:index")).status_code == 302

"""The balance every few minutes, the clock beside the gateway's, and a test of the connection in plain words."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from laaffic_console.gateway import jobs as gateway_jobs
from laaffic_console.gateway.models import AccountHold, Application, BalanceReading, WorkerHeartbeat
from laaffic_console.gateway.services.account import account_hold, account_watch, balance_history
from laaffic_console.gateway.services.client import account, clock
from laaffic_console.gateway.services.work import workers
from laaffic_console.laaffic import Balance, Family, NotSent, Refused, lookup
from laaffic_console.sandbox.testing import RunningSandbox

pytestmark = pytest.mark.django_db

CREDENTIAL_CODES = ["-1", "-2", "-13", "-16", "-29", "-30", "-31", "-32"]


def reading(balance: str, minutes_ago: float = 0) -> BalanceReading:
    at = timezone.now() - dt.timedelta(minutes=minutes_ago)
    return BalanceReading.objects.create(at=at, balance=Decimal(balance))


class ReadTests:
    def test_a_reading_is_kept(self, sandbox: RunningSandbox) -> None:
        account_watch.read()

        kept = BalanceReading.objects.get()
        assert (kept.gift, kept.credit) == (Decimal(50), Decimal(0))

    def test_it_is_not_asked_before_its_time(self, sandbox: RunningSandbox) -> None:
        reading("5", minutes_ago=1)

        account_watch.read()

        assert not account_watch.is_due()
        assert BalanceReading.objects.count() == 1

    def test_a_failed_reading_is_tried_again_a_minute_later(self, sandbox: RunningSandbox, settings: Any) -> None:
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
        account.laaffic_client.cache_clear()
        assert account_watch.is_due()

        account_watch.read()

        assert not BalanceReading.objects.exists()
        assert not account_watch.is_due()

    def test_credentials_that_are_refused_hold_the_account(self, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(status="-30", status_calls=1)

        account_watch.read()

        assert AccountHold.objects.get().code == "-30"

    def test_being_asked_too_often_holds_nothing(self, sandbox: RunningSandbox) -> None:
        sandbox.set_faults(status="-15", status_calls=1)

        account_watch.read()

        assert not AccountHold.objects.exists()

    def test_an_answer_ends_what_it_disproves(self, sandbox: RunningSandbox) -> None:
        account_hold.place_because("Because.")

        account_watch.read()

        assert AccountHold.objects.get().released_at is not None

    def test_without_credentials_nothing_happens(self, settings: Any) -> None:
        settings.LAAFFIC_API_KEY = ""
        account.laaffic_client.cache_clear()

        account_watch.read()

        assert not BalanceReading.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_the_sweeper_rings_for_it(self, sandbox: RunningSandbox) -> None:
        gateway_jobs.sweep()

        assert account_watch.READ_JOB in [task.task["func"] for task in OrmQ.objects.all()]


class HistoryTests:
    @pytest.mark.parametrize(
        ("alert", "balance", "is_low"),
        [("0", "-5", False), ("10", "9.999999", True), ("10", "10", False), ("10", "-1", True)],
    )
    def test_low_is_under_the_threshold(self, settings: Any, alert: str, balance: str, is_low: bool) -> None:
        settings.LAAFFIC_BALANCE_ALERT = Decimal(alert)

        assert balance_history.is_low(reading(balance)) == is_low

    def test_one_of_a_clock_that_was_ahead_is_not_the_balance(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.LAAFFIC_BALANCE_ALERT = Decimal(10)
        told: list[Decimal] = []
        monkeypatch.setattr(balance_history, "_told", [lambda read, limit: told.append(read.balance)])
        reading("12", minutes_ago=-8 * 60)
        for amount in ("9", "8"):
            last = balance_history.record(Balance(Decimal(amount), None, None, "USD"))

        assert told == [Decimal(9)]
        assert balance_history.latest() == last
        assert balance_history.points(timezone.now() - dt.timedelta(days=1))[-1] == last

    def test_readings_are_not_kept_for_ever(self, sandbox: RunningSandbox) -> None:
        reading("5", minutes_ago=100 * 24 * 60)

        account_watch.read()

        assert BalanceReading.objects.count() == 1

    def test_a_chart_has_few_points_and_the_latest(self) -> None:
        for minutes in range(50):
            last = reading(str(minutes), minutes_ago=50 - minutes)

        points = balance_history.points(timezone.now() - dt.timedelta(days=1), at_most=10)

        assert len(points) <= 11
        assert points[-1] == last
        assert [point.at for point in points] == sorted(point.at for point in points)


class ClockTests:
    @pytest.mark.parametrize(("offset", "is_off"), [(0, False), (300, True), (-300, True), (7200, True)])
    def test_the_gateways_date_says_how_far_it_is_off(
        self, sandbox: RunningSandbox, offset: float, is_off: bool
    ) -> None:
        sandbox.sandbox.options.clock_offset = offset

        account.laaffic_client().get_balance()

        assert clock.observed_here() == pytest.approx(offset, abs=60)
        assert clock.is_off(clock.observed_here()) == is_off

    def test_before_any_answer_nothing_is_known(self, sandbox: RunningSandbox) -> None:
        assert clock.observed_here() is None

    def test_a_worker_says_its_machines(self, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        now = timezone.now()
        WorkerHeartbeat.objects.create(worker="box-1", host="box", pid=1, started_at=now, beat_at=now)
        monkeypatch.setenv(workers.WORKER_VARIABLE, "box-1")
        monkeypatch.setattr(workers, "_last_beat", -1000.0)
        sandbox.sandbox.options.clock_offset = 300
        account.laaffic_client().get_balance()

        workers.beat()

        (skewed,) = workers.skewed()
        assert skewed.clock_skew == pytest.approx(300, abs=60)

    def test_a_clock_beyond_the_tolerance_is_corrected_once_and_said(
        self, sandbox: RunningSandbox, admin_client: Client
    ) -> None:
        sandbox.sandbox.options.clock_offset = -7200

        found = account_watch.try_connection(None)

        assert found.is_well
        assert re.search(r"clock is 7(19|20)\d s ahead of Laaffic's", found.sentences[-1])


class TryConnectionTests:
    @pytest.mark.parametrize("code", CREDENTIAL_CODES)
    def test_every_credential_code_is_explained(self, code: str) -> None:
        refusal = Refused(interface="getBalance", entry=lookup(Family.ACCOUNT, code), reason="", http_status=200)

        said = account_watch.explain(refusal)

        assert said.startswith(f"Laaffic refused with {code}: ")
        assert said.endswith(lookup(Family.ACCOUNT, code).advice)

    def test_no_two_codes_get_the_same_words_but_for_failures_of_theirs(self) -> None:
        words = [lookup(Family.ACCOUNT, code).advice for code in CREDENTIAL_CODES]

        assert len(set(words)) == len(words)

    def test_an_unreachable_gateway(self) -> None:
        said = account_watch.explain(NotSent("the connection was refused", interface="getBalance"))

        assert "LAAFFIC_BASE_URL" in said

    @pytest.mark.parametrize("code", ["-12", "-18"])
    def test_a_failure_of_theirs_is_no_fault_of_the_credentials(self, sandbox: RunningSandbox, code: str) -> None:
        sandbox.set_faults(status=code, status_calls=1)

        found = account_watch.try_connection(None)

        assert not found.is_well
        assert "failure of its own" in found.sentences[0]

    def test_an_sms_application_is_tried_too(self, sandbox: RunningSandbox, application: Application) -> None:
        found = account_watch.try_connection(application)

        assert found.is_well
        assert any("may use" in sentence for sentence in found.sentences)
        assert sandbox.stats()["calls"]["/getSentRcd"] == 1

    def test_the_button_shows_balance_and_clock(
        self, sandbox: RunningSandbox, admin_client: Client, application: Application
    ) -> None:
        address = reverse("admin:gateway_application_check_application", args=[application.pk])

        (message,) = admin_client.post(address, follow=True).context["messages"]

        assert message.level_tag == "success"
        assert "Balance: " in str(message)
        assert "The clocks agree." in str(message)

    def test_a_viewer_has_no_such_button(self, client: Client, application: Application) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_application"))
        client.force_login(user)

        answer = client.get(reverse("admin:gateway_application_check_application", args=[application.pk]))

        assert answer.status_code == 403


class HoldAdminTests:
    @pytest.fixture
    def hold(self) -> AccountHold:
        account_hold.place_because("LAAFFIC_API_KEY is not set.")
        return AccountHold.objects.get()

    def test_it_is_probed_by_a_button(self, sandbox: RunningSandbox, admin_client: Client, hold: AccountHold) -> None:
        answer = admin_client.post(reverse("admin:gateway_accounthold_probe_now", args=[hold.pk]), follow=True)

        assert [str(message) for message in answer.context["messages"]] == ["Laaffic accepts the credentials."]

    def test_a_person_ends_it_after_being_asked(self, admin_client: Client, hold: AccountHold) -> None:
        address = reverse("admin:gateway_accounthold_end_hold", args=[hold.pk])

        asked = admin_client.get(address)
        hold.refresh_from_db()
        assert (asked.status_code, hold.released_at) == (200, None)
        admin_client.post(address)

        hold.refresh_from_db()
        assert hold.released_at is not None
        assert hold.released_by.username == "admin"

    def test_who_may_only_look_does_not_end_it(self, client: Client, hold: AccountHold) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_accounthold"))
        client.force_login(user)

        assert client.get(reverse("admin:gateway_accounthold_change", args=[hold.pk])).status_code == 200
        for name in ("end_hold", "probe_now"):
            assert client.post(reverse(f"admin:gateway_accounthold_{name}", args=[hold.pk])).status_code == 403
        hold.refresh_from_db()
        assert hold.released_at is None


class BalancePageTests:
    def test_it_draws_what_was_read(self, admin_client: Client) -> None:
        reading("7.5", minutes_ago=10)
        reading("7.25")

        answer = admin_client.get(reverse("admin:gateway_balancereading_changelist"))

        assert answer.status_code == 200
        assert "[7.5, 7.25]" in answer.context["chart"]
        assert "c-chart" in answer.content.decode()

    def test_it_draws_nothing_of_one_reading(self, admin_client: Client) -> None:
        reading("7.5")

        answer = admin_client.get(reverse("admin:gateway_balancereading_changelist"))

        assert "c-chart" not in answer.content.decode()

    def test_it_is_money_in_the_list_and_on_a_row_of_it(self, admin_client: Client) -> None:
        reading("1007.5")
        [kept] = BalanceReading.objects.all()
        row = reverse("admin:gateway_balancereading_change", args=[kept.pk])

        for address in (reverse("admin:gateway_balancereading_changelist"), row):
            assert "1,007.50" in admin_client.get(address).content.decode()

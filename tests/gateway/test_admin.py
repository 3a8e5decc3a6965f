"""Applications, ledger, inbox and workers in the admin."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import (
    AccountHold,
    Application,
    BalanceReading,
    EntryState,
    LedgerEntry,
    OrphanReport,
    PushedBody,
    WorkerHeartbeat,
)
from laaffic_console.gateway.services.account import applications
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, EmailCampaign
from tests.messaging.conftest import point_at

pytestmark = pytest.mark.django_db

READ_ONLY = [LedgerEntry, PushedBody, OrphanReport, WorkerHeartbeat, AccountHold, BalanceReading]


def page(model: type[Model], what: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


def a_row(model: type[Model]) -> Model:
    now = timezone.now()
    if model is LedgerEntry:
        return ledger.prepare(
            interface="sendSms", application=None, about_kind="campaign", about_id=7, summary={"recipients": 3}
        )
    if model is AccountHold:
        return AccountHold.objects.create(scope="account", sentence="Because.", placed_at=now, probe_wait=15)
    if model is BalanceReading:
        return BalanceReading.objects.create(at=now, balance=Decimal("7.500000"))
    if model is PushedBody:
        return PushedBody.objects.create(kind="sms-report", body="[]", received_at=now, problems=["without a status"])
    if model is OrphanReport:
        return OrphanReport.objects.create(kind="sms-report", key="1", gateway_id="25121", report={}, first_seen=now)
    return WorkerHeartbeat.objects.create(worker="box-1", host="box", pid=1, started_at=now, beat_at=now)


@pytest.mark.parametrize("model", READ_ONLY)
class ReadOnlyTests:
    def test_list_and_row_can_be_looked_at(self, admin_client: Client, model: type[Model]) -> None:
        row = a_row(model)

        assert admin_client.get(page(model, "changelist")).status_code == 200
        assert admin_client.get(page(model, "change", row.pk)).status_code == 200

    def test_nobody_adds_changes_or_deletes(self, admin_client: Client, model: type[Model]) -> None:
        row = a_row(model)

        answers = [
            admin_client.get(page(model, "add")),
            admin_client.post(page(model, "add"), {}),
            admin_client.post(page(model, "change", row.pk), {"_save": "1"}),
            admin_client.get(page(model, "delete", row.pk)),
            admin_client.post(page(model, "delete", row.pk), {"post": "yes"}),
        ]
        admin_client.post(page(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk]})

        assert [answer.status_code for answer in answers] == [403] * 5
        kept = model._default_manager.filter(pk=row.pk).values().get()
        assert kept == {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}

    def test_the_list_offers_no_action(self, admin_client: Client, model: type[Model]) -> None:
        a_row(model)

        said = admin_client.get(page(model, "changelist")).content.decode()

        assert "delete_selected" not in said
        assert f'href="{page(model, "add")}"' not in said

    def test_who_may_not_see_them_does_not(self, staff: Callable[..., Client], model: type[Model]) -> None:
        row = a_row(model)
        client = staff()

        assert client.get(page(model, "changelist")).status_code == 403
        assert client.get(page(model, "change", row.pk)).status_code == 403

    def test_a_viewer_sees_them(self, staff: Callable[..., Client], model: type[Model]) -> None:
        row = a_row(model)
        client = staff(f"view_{model._meta.model_name}")

        reads = client.get(page(model, "change", row.pk)).status_code
        assert client.get(page(model, "changelist")).status_code == 200
        assert reads == (403 if model in (PushedBody, OrphanReport) else 200)  # as it came: for read_pushedbody

    def test_a_stranger_has_to_sign_in(self, client: Client, model: type[Model]) -> None:
        answer = client.get(page(model, "changelist"))

        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("admin:login"))


class ApplicationTests:
    FORM = {"app_id": "4luaKsL2", "channel": "sms", "name": "Shop", "sender_id": "", "connections": "4"}

    def test_one_is_added(self, admin_client: Client) -> None:
        answer = admin_client.post(page(Application, "add"), self.FORM)

        assert answer.status_code == 302
        assert Application.objects.get().app_id == "4luaKsL2"

    def test_what_is_no_app_id_is_said_at_its_field(self, admin_client: Client) -> None:
        answer = admin_client.post(page(Application, "add"), {**self.FORM, "app_id": "not an id"})

        assert "app_id" in answer.context["adminform"].form.errors
        assert "not an id" in answer.content.decode()

    def test_callback_addresses_are_for_who_may_change(
        self, staff: Callable[..., Client], application: Application, settings: Any
    ) -> None:
        settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]

        viewer = staff("view_application").get(page(Application, "change", application.pk)).content.decode()
        User.objects.get().user_permissions.add(Permission.objects.get(codename="change_application"))
        editor = Client()
        editor.force_login(User.objects.get())
        seen = editor.get(page(Application, "change", application.pk)).content.decode()

        assert "a-token-that-nobody-guesses" not in viewer
        assert "/hooks/a-token-that-nobody-guesses/sms-report/" in seen
        assert "voice-report" not in seen

    def test_without_a_token_it_says_what_to_do(
        self, admin_client: Client, application: Application, settings: Any
    ) -> None:
        settings.LAAFFIC_PUSH_TOKENS = []

        said = admin_client.get(page(Application, "change", application.pk)).content.decode()

        assert "Set LAAFFIC_PUSH_TOKENS first" in said

    def test_one_that_has_sent_is_not_deleted(self, admin_client: Client, application: Application) -> None:
        ledger.prepare(interface="sendSms", application=application, about_kind="x", about_id=None, summary={})

        answer = admin_client.post(page(Application, "delete", application.pk), {"post": "yes"})

        assert answer.status_code == 403
        assert Application.objects.exists()

    @pytest.mark.parametrize("is_used", [True, False])
    def test_one_that_has_sent_keeps_its_app_id(
        self, admin_client: Client, application: Application, is_used: bool
    ) -> None:
        """In another application's records nothing would be found of what it sent."""
        if is_used:
            ledger.prepare(
                interface="sendSms", application=application, about_kind="t", about_id=1, summary={}, digest=""
            )
        page_of = page(Application, "change", application.pk)
        before = application.app_id

        shown = admin_client.get(page_of).content.decode()
        admin_client.post(page_of, {**self.FORM, "app_id": "another1", "channel": "email", "name": "Renamed"})

        application.refresh_from_db()
        kept = (before, "sms") if is_used else ("another1", "email")
        assert (application.app_id, application.channel, application.name) == (*kept, "Renamed")
        assert ("its appId and channel stay" in shown) == is_used

    @pytest.mark.parametrize("state", [EntryState.REFUSED, EntryState.NOT_SENT])
    def test_one_that_was_mistyped_is_put_right(
        self, admin_client: Client, application: Application, state: EntryState
    ) -> None:
        """Laaffic refused what it tried, and the campaign was cancelled."""
        entry = ledger.prepare(interface="sendSms", application=application, about_kind="t", about_id=1, summary={})
        LedgerEntry.objects.filter(pk=entry.pk).update(state=state)
        campaign = Campaign.objects.create(name="A", application=application, state="held")
        sent = {**self.FORM, "app_id": "another1", "channel": "email", "name": "Renamed"}
        admin_client.post(page(Application, "change", application.pk), sent)
        assert Application.objects.get().app_id == application.app_id  # it may be resumed

        Campaign.objects.filter(pk=campaign.pk).update(state="cancelled")
        admin_client.post(page(Application, "change", application.pk), sent)

        assert (Application.objects.get().app_id, Application.objects.get().channel) == ("another1", "email")

    def test_an_email_under_way_keeps_it_too(self, application: Application) -> None:
        assert not applications.is_used(application)

        EmailCampaign.objects.create(application=application, state="scheduled")

        assert applications.is_used(application)

    def test_one_that_never_sent_is_deleted(self, admin_client: Client, application: Application) -> None:
        admin_client.post(page(Application, "delete", application.pk), {"post": "yes"})

        assert not Application.objects.exists()


class CheckCredentialsTests:
    ADDRESS = "admin:gateway_application_check_account"

    def said(self, client: Client) -> str:
        answer = client.post(reverse(self.ADDRESS), follow=True)
        (message,) = answer.context["messages"]
        return f"{message.level_tag}: {message}"

    def test_right_ones(self, sandbox: RunningSandbox, admin_client: Client) -> None:
        assert self.said(admin_client).startswith("success: The credentials are right. Balance: ")

    def test_a_wrong_secret_says_what_to_do(self, sandbox: RunningSandbox, admin_client: Client, settings: Any) -> None:
        settings.LAAFFIC_API_SECRET = "wrong"
        account.laaffic_client.cache_clear()

        said = self.said(admin_client)

        assert said.startswith("error: Laaffic refused with -1: ")
        assert "wrong" not in said

    def test_none_are_named(self, admin_client: Client, settings: Any) -> None:
        settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = ""
        account.laaffic_client.cache_clear()

        said = self.said(admin_client)

        assert said.startswith("error: LAAFFIC_API_KEY and LAAFFIC_API_SECRET are not set.")

    def test_an_unreachable_gateway(self, sandbox: RunningSandbox, admin_client: Client, settings: Any) -> None:
        point_at(settings, sandbox)
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"

        said = self.said(admin_client)

        assert said.startswith("error: Laaffic cannot be reached (the connection was refused).")
        assert "LAAFFIC_BASE_URL" in said

    def test_a_page_instead_of_an_answer(self, sandbox: RunningSandbox, admin_client: Client) -> None:
        sandbox.set_faults(status="-30", status_calls=1)

        assert self.said(admin_client).startswith("error: Laaffic refused with -30: ")

    def test_a_viewer_may_not_ask(self, staff: Callable[..., Client]) -> None:
        assert staff("view_application").get(reverse(self.ADDRESS)).status_code == 403


class LedgerPageTests:
    def test_it_leads_to_the_campaign_and_shows_no_button(self, admin_client: Client) -> None:
        a_row(LedgerEntry)

        said = admin_client.get(page(LedgerEntry, "changelist")).content.decode()

        assert reverse("admin:messaging_campaign_change", args=[7]) in said

    def test_more_rows_cost_no_more_queries(self, admin_client: Client, application: Application) -> None:
        def asked_with_rows(count: int) -> int:
            for _ in range(count):
                about = {"about_kind": "campaign", "about_id": 1}
                ledger.prepare(interface="sendSms", application=application, summary={}, **about)
            with CaptureQueriesContext(connection) as queries:
                admin_client.get(page(LedgerEntry, "changelist"))
            return len(queries)

        few = asked_with_rows(2)

        assert asked_with_rows(40) == few <= 13


class QueueTests:
    def test_the_queues_own_tables_are_not_shown(self, admin_client: Client) -> None:
        assert "django_q" not in admin_client.get(reverse("admin:index")).content.decode()


class BalanceOnTheApplicationTests:
    def test_it_is_the_accounts(self, admin_client: Client) -> None:
        application = Application.objects.create(app_id="AbC1", channel="sms")
        address = reverse("admin:gateway_application_change", args=[application.pk])
        assert "Not read yet" in admin_client.get(address).content.decode()

        now = timezone.now()
        BalanceReading.objects.create(at=now, balance=Decimal("99.99"), gift=Decimal(50), currency="USD")

        page = admin_client.get(address).content.decode()
        assert "99.99" in page
        assert "bonus 50" in page

    def test_who_may_not_see_money_sees_none(self, client: Client) -> None:
        application = Application.objects.create(app_id="AbC1", channel="sms")
        BalanceReading.objects.create(at=timezone.now(), balance=Decimal("99.99"))
        user = User.objects.create_user("eve", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_application"))
        client.force_login(user)

        page = client.get(reverse("admin:gateway_application_change", args=[application.pk])).content.decode()
        assert "AbC1" in page
        assert "99.99" not in page

"""Composing, launching and watching email campaigns in the admin."""

import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.identity.models import Profile
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.said import read
from laaffic_console.sandbox.email import EmailInterfaces
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Delivery,
    EmailCampaign,
    EmailCampaignState,
    EmailChoice,
    EmailLookup,
    EmailMessage,
    Submission,
)
from messaging.services import restored
from messaging.services.email import choices as email_choices
from messaging.services.email import counting as email_counting
from messaging.services.email import drafts as email_drafts
from messaging.services.email import starting as email_starting
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "admin:messaging_emailcampaign_add"
TOKEN = "a-token-that-nobody-guesses"
GOOD = {
    "name": "Spring",
    "from_address": "test@mailpush.laaffic.cn",
    "receiver_id": "1001",
    "template_id": "1",
    "subject": "hello world",
    "unsubscribe": "unknown",
}


@pytest.fixture(autouse=True)
def _hooks(settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    settings.CONSOLE_URL = "http://127.0.0.1:9"
    cache.clear()


@pytest.fixture
def mail_app(db: None) -> Application:
    return Application.objects.create(app_id="fKFtblIy", channel="email", name="News")


@pytest.fixture
def draft(mail_app: Application) -> EmailCampaign:
    given = {name: value for name, value in GOOD.items() if name != "unsubscribe"}
    return email_drafts.create(application=mail_app, **given)


def own_page(campaign: EmailCampaign, what: str, *more: str) -> str:
    return reverse(f"admin:messaging_emailcampaign_{what}", args=[campaign.pk, *more])


def add_mails(campaign: EmailCampaign, *standings: tuple[int, int]) -> None:
    mails = [
        EmailMessage(
            campaign=campaign,
            key=f"e{n}",
            email_id=f"e{n}",
            address=f"p{n}@example.com",
            submission=submission,
            delivery=delivery,
            told_at=timezone.now(),
        )
        for n, (submission, delivery) in enumerate(standings)
    ]
    EmailMessage.objects.bulk_create(mails)
    email_counting.count_moves(campaign.pk, [], [email_counting.standing(mail) for mail in mails])


def test_the_page_of_a_mail_says_what_each_line_is(admin_client: Client, draft: EmailCampaign) -> None:
    add_mails(draft, (20, 40))
    mail = EmailMessage.objects.get()

    page = admin_client.get(reverse("admin:messaging_emailmessage_change", args=[mail.pk])).content.decode()
    listed = admin_client.get(reverse("admin:messaging_emailmessage_changelist")).content.decode()

    labels = {" ".join(one.split()) for one in re.findall(r"<label[^>]*>([^<]*)", page)}
    assert {"Submission", "Delivery", "Delivery reported", "First reported", "Laaffic&#x27;s own word"} <= labels
    assert all(f"By {name}" in listed for name in ("submission", "delivery"))


class BesideTests:
    @pytest.fixture(autouse=True)
    def _looked_up(self, mail_app: Application) -> None:
        rows = {
            "list": ("1001", "Customers", {"count": 1234}),
            "template": ("1", "Welcome", {"status": "0", "language": "en", "subject": "Dear customer"}),
        }
        for kind, (value, name, detail) in rows.items():
            moments = {"asked_at": timezone.now(), "answered_at": timezone.now()}
            lookup = EmailLookup.objects.create(application=mail_app, kind=kind, **moments)
            EmailChoice.objects.create(lookup=lookup, value=value, name=name, detail=detail)

    def beside(self, client: Client, **given: Any) -> str:
        return client.post("/admin/messaging/emailcampaign/estimate/", {**GOOD, **given}).content.decode()

    def test_it_shows_the_mail_in_an_inbox_and_how_many_get_it(
        self, admin_client: Client, mail_app: Application
    ) -> None:
        shown = self.beside(admin_client, application=mail_app.pk)

        assert "hello world</span>" in shown
        assert "Dear customer" in shown
        assert "1,234" in shown
        assert "Customers (1001) · looked up" in shown
        assert "The template is not approved yet" in shown
        assert not EmailCampaign.objects.exists()

    def test_what_is_not_written_yet_is_no_mistake(self, admin_client: Client, mail_app: Application) -> None:
        empty = dict.fromkeys(["receiver_id", "template_id", "subject"], "")

        assert "beside-problem" not in self.beside(admin_client, application=mail_app.pk, **empty)
        assert "The account has no template 9" in self.beside(admin_client, application=mail_app.pk, template_id="9")

    @pytest.mark.parametrize("application", ["", "x", "99999999999999999999", "-1"])
    def test_without_an_application_nothing_is_known(self, admin_client: Client, application: str) -> None:
        shown = self.beside(admin_client, application=application)

        assert "size not known" in shown
        assert "beside-problem" not in shown

    def test_it_says_when_by_the_clock_that_was_chosen(self, admin_client: Client, mail_app: Application) -> None:
        Profile.objects.create(user=User.objects.get(), time_zone="Asia/Dhaka")
        shown = self.beside(admin_client, application=mail_app.pk, scheduled_at="2031-05-01T10:00", clock="console")

        assert "Starts 1 May 2031, 16:00 (Asia/Dhaka)." in shown

    def test_it_stands_beside_a_draft_that_is_edited(self, admin_client: Client, draft: EmailCampaign) -> None:
        shown = admin_client.get(own_page(draft, "change")).content.decode()

        assert 'id="inbox-subject">hello world<' in shown
        assert "1,234" in shown


class ComposeTests:
    def test_it_leads_to_the_review(self, admin_client: Client, mail_app: Application) -> None:
        given = {**GOOD, "application": mail_app.pk, "ad_flag": "2", "unsubscribe": "true", "trigger_id": "7"}
        answer = admin_client.post(reverse(ADD), given)

        campaign = EmailCampaign.objects.get()
        assert answer["Location"] == own_page(campaign, "review")
        assert (campaign.ad_flag, campaign.unsubscribe, campaign.trigger_id) == (2, True, 7)
        assert campaign.created_by == User.objects.get()

    def test_who_wrote_and_edited_it_is_recorded(self, admin_client: Client, mail_app: Application) -> None:
        given = {**GOOD, "application": mail_app.pk}
        admin_client.post(reverse(ADD), given)
        admin_client.post(own_page(EmailCampaign.objects.get(), "change"), {**given, "subject": "Other"})

        entries = AuditEntry.objects.filter(object_kind="messaging.emailcampaign").order_by("pk")
        assert [(entry.kind, entry.person) for entry in entries] == [("added", "admin"), ("changed", "admin")]
        [[field, *values]] = entries[1].summary["changes"]
        assert (read(field), values) == ("subject", ["hello world", "Other"])

    @pytest.mark.parametrize(("clock", "hour"), [("mine", 4), ("console", 10)])
    def test_it_is_sent_by_the_clock_of_who_writes_it(
        self, admin_client: Client, mail_app: Application, clock: str, hour: int
    ) -> None:
        Profile.objects.create(user=User.objects.get(), time_zone="Asia/Dhaka")
        given = {**GOOD, "application": mail_app.pk, "scheduled_at": "2031-05-01T10:00", "clock": clock}
        admin_client.post(reverse(ADD), given)

        campaign = EmailCampaign.objects.get()
        assert campaign.scheduled_at == dt.datetime(2031, 5, 1, hour, tzinfo=dt.UTC)
        shown = admin_client.get(own_page(campaign, "change")).content.decode()
        assert "mine: Asia/Dhaka" in shown
        assert f'value="2031-05-01T{hour + 6:02}:00"' in shown

    def test_a_clock_is_named_where_nobody_has_said_one(self, admin_client: Client, mail_app: Application) -> None:
        shown = admin_client.get(reverse(ADD)).content.decode()

        assert "this console: UTC" in shown
        assert "Say in your profile which time zone is yours" in shown

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("subject", "x" * 101, "The subject has 101 characters; at most 100 are possible"),
            ("subject", "", "Write a subject"),
            ("from_address", "nobody", "is not an email address"),
            ("from_address", "", "Choose the address that the emails come from."),
            ("receiver_id", "", "Choose a recipient list"),
            ("template_id", "", "Choose a template"),
            ("ad_flag", "9", "not one of the available choices"),
            ("scheduled_at", "tomorrow", "Write date and time as year-month-day hours:minutes"),
            ("name", "", "required"),
        ],
    )
    def test_an_error_is_at_its_field_and_nothing_typed_is_lost(
        self, admin_client: Client, mail_app: Application, field: str, value: str, said: str
    ) -> None:
        answer = admin_client.post(reverse(ADD), {**GOOD, "application": mail_app.pk, field: value})

        assert said in answer.context["form"].errors[field][0]
        assert len(answer.context["form"].errors[field]) == 1
        page = answer.content.decode()
        for name in {"subject", "from_address", "name"} - {field}:
            assert f'value="{GOOD[name]}"' in page
        assert EmailCampaign.objects.count() == 0

    def test_a_look_up_offers_choices_and_keeps_what_was_typed(
        self, sandbox: RunningSandbox, admin_client: Client, mail_app: Application
    ) -> None:
        typed = {"name": "Half", "application": mail_app.pk, "subject": "unfinished", "_refresh": "1"}
        page = admin_client.post(reverse(ADD), typed).content.decode()

        assert 'value="Half"' in page
        assert 'value="unfinished"' in page
        assert '<option value="1000">Customers · 20 addresses</option>' in page
        assert '<option value="3">Not yet approved · Soon · en · not approved (0)</option>' in page
        assert '<option value="news@mail.example.com">' in page
        assert "3 to choose from, looked up now." in page
        assert EmailCampaign.objects.count() == 0

    def test_a_look_up_that_fails_says_so_and_keeps_the_old_choices(
        self, sandbox: RunningSandbox, admin_client: Client, mail_app: Application
    ) -> None:
        email_choices.refresh_all()
        sandbox.set_faults(status="-3", status_calls=1)
        page = admin_client.post(reverse(ADD), {"_refresh": "1"}).content.decode()

        assert "Templates: Laaffic refused with -3" in page
        assert "You can write the id by hand" in page
        assert EmailChoice.objects.filter(lookup__kind=EmailLookup.Kind.TEMPLATE).count() == 4

    def test_a_gateway_that_is_away_is_asked_once(
        self, settings: LazySettings, sandbox: RunningSandbox, mail_app: Application
    ) -> None:
        sandbox.set_faults(next_fault="reset_before", next_calls=3, paths=["/email"])

        assert len(email_choices.refresh(mail_app)) == 1


class ReviewTests:
    def test_it_says_what_goes_out_and_what_cannot_be_checked(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign
    ) -> None:
        email_choices.refresh_all()
        page = admin_client.get(own_page(draft, "review")).content.decode()

        assert "Send to 3 addresses" in page
        assert "suppression list holds numbers and does not stop emails" in page
        assert TOKEN not in page

    def test_it_warns_of_what_laaffic_would_refuse(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign
    ) -> None:
        email_choices.refresh_all()
        EmailCampaign.objects.update(template_id="3", receiver_id="77")
        page = admin_client.get(own_page(draft, "review")).content.decode()

        assert "The template is not approved yet" in page
        assert "The account has no recipient list 77" in page

    def test_list_and_button_say_when_it_starts(self, admin_client: Client, draft: EmailCampaign) -> None:
        at = timezone.now() + dt.timedelta(days=1)
        EmailCampaign.objects.update(scheduled_at=at, state="scheduled")
        listed = admin_client.get(reverse("admin:messaging_emailcampaign_changelist")).content.decode()
        assert f"starts at {dates.planned(at)}" in listed

        EmailCampaign.objects.update(state="draft")
        assert f" at {dates.planned(at)}" in admin_client.get(own_page(draft, "review")).content.decode()

    @pytest.mark.parametrize(
        "changed",
        [
            {"subject": "Other"},
            {"receiver_id": "77"},
            {"template_id": "3"},
            {"from_address": "other@example.com"},
            {"scheduled_at": timezone.now() + dt.timedelta(days=1)},
            {"unsubscribe": False},
            {"language": "de"},
            {"ad_flag": True},
            {"trigger_id": "9"},
        ],
        ids=lambda changed: next(iter(changed)),
    )
    def test_the_button_sends_nothing_when_it_is_not_what_was_shown(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign, changed: dict[str, Any]
    ) -> None:
        stale = hidden(admin_client, own_page(draft, "review"))
        EmailCampaign.objects.update(**changed)

        for posted in (stale, {}):
            said = admin_client.post(own_page(draft, "review"), posted).content.decode()
            assert "changed since you looked" in said
            assert EmailCampaign.objects.get().state == "draft"
        admin_client.post(own_page(draft, "review"), hidden(admin_client, own_page(draft, "review")))

        assert EmailCampaign.objects.get().state != "draft"

    def test_a_list_that_grew_at_laaffic_is_shown_again(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign
    ) -> None:
        email_choices.refresh_all()
        EmailCampaign.objects.update(receiver_id=EmailChoice.objects.filter(lookup__kind="list").first().value)
        stale = hidden(admin_client, own_page(draft, "review"))
        EmailChoice.objects.filter(lookup__kind="list").update(detail={"count": 3000})

        said = admin_client.post(own_page(draft, "review"), stale).content.decode()

        assert "Send to 3,000 addresses" in said
        assert EmailCampaign.objects.get().state == "draft"

    def test_launching_sends_it_and_shows_its_page(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign, run_jobs: Callable[[], int]
    ) -> None:
        answer = admin_client.post(
            own_page(draft, "review"), hidden(admin_client, own_page(draft, "review")), follow=True
        )
        assert "Sending" in answer.content.decode()
        run_jobs()

        page = admin_client.get(own_page(draft, "change")).content.decode()
        assert re.search(r'id="state">\s*<button[^>]*>\s*Running', page)
        assert "Laaffic may still report more emails" in page
        assert TOKEN not in page

    def test_a_test_to_me_is_a_row_of_the_ledger(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign
    ) -> None:
        given = {"address": "me@example.com", "template_data": '{"name": "Ann"}'}
        answer = admin_client.post(own_page(draft, "test"), given, follow=True)

        assert "The test to me@example.com was submitted as email" in answer.content.decode()
        entry = LedgerEntry.objects.get()
        assert (entry.interface, entry.state) == ("email/sendEmail", EntryState.ACCEPTED)
        emails = next(f for f in sandbox.sandbox.families if isinstance(f, EmailInterfaces))
        assert [mail.to_address for mail in emails.mails.values()] == ["me@example.com"]
        draft.refresh_from_db()
        assert draft.state == EmailCampaignState.DRAFT

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"address": "me"}, "Write the email address"),
            ({"address": "me@example.com", "template_data": "name=Ann"}, "as JSON"),
        ],
    )
    def test_a_test_with_bad_input(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign, given: dict[str, str], said: str
    ) -> None:
        page = admin_client.post(own_page(draft, "test"), given).content.decode()

        assert said in page
        assert given["address"] in page
        assert LedgerEntry.objects.count() == 0

    def test_a_test_whose_answer_is_lost_says_so(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        page = admin_client.post(own_page(draft, "test"), {"address": "me@example.com"}).content.decode()

        assert "Look into the mailbox before you send another" in page
        assert LedgerEntry.objects.get().state == EntryState.UNKNOWN


class PageTests:
    def test_each_count_leads_to_its_rows(self, admin_client: Client, draft: EmailCampaign) -> None:
        standings = [
            (Submission.SUBMITTED, Delivery.DELIVERED),
            (Submission.SUBMITTED, Delivery.PENDING),
            (Submission.SUBMITTED, Delivery.UNDELIVERED),
            (Submission.SUBMITTED, Delivery.EXPIRED),
            (Submission.SUBMITTED, Delivery.NONE),
            (Submission.FAILED, Delivery.NONE),
            (Submission.UNSAID, Delivery.NONE),
        ]
        add_mails(draft, *standings)
        EmailCampaign.objects.update(state=EmailCampaignState.RUNNING)
        rows = reverse("admin:messaging_emailmessage_changelist")
        assert email_counting.counts(draft)["total"] == len(standings)

        for word, _label, _tone, narrowed in email_counting.PARTS:
            answer = admin_client.get(f"{rows}?campaign__id__exact={draft.pk}&{narrowed}")
            assert answer.status_code == 200
            assert answer.context["cl"].result_count == email_counting.counts(draft)[word] == 1
        assert admin_client.get(own_page(draft, "change")).status_code == 200
        assert admin_client.get(reverse("admin:messaging_emailcampaign_changelist")).status_code == 200

    def test_exports_hold_exactly_the_list(self, admin_client: Client, draft: EmailCampaign) -> None:
        add_mails(draft, (Submission.SUBMITTED, Delivery.DELIVERED), (Submission.FAILED, Delivery.NONE))
        EmailMessage.objects.filter(submission=Submission.FAILED).update(remark="=cmd()")
        query = f"?campaign__id__exact={draft.pk}&submission__exact={Submission.FAILED:d}"

        as_csv = admin_client.get(reverse("admin:messaging_emailmessage_export", args=["csv"]) + query)
        lines = b"".join(as_csv.streaming_content).decode("utf-8-sig").splitlines()
        as_xlsx = admin_client.get(reverse("admin:messaging_emailmessage_export", args=["xlsx"]) + query)
        sheet = openpyxl.load_workbook(io.BytesIO(b"".join(as_xlsx.streaming_content))).active

        assert lines[0].startswith("address,email id,task id,submitted,")
        assert len(lines) == 2
        assert "p1@example.com,e1,,Not submitted,,'=cmd()" in lines[1]
        assert [[cell.value for cell in row][:2] for row in sheet.rows][1:] == [["p1@example.com", "e1"]]

    def test_the_buttons_do_what_the_state_permits(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign, run_jobs: Callable[[], int]
    ) -> None:
        EmailCampaign.objects.update(template_id="3")
        email_starting.launch(draft.pk)
        run_jobs()
        page = admin_client.get(own_page(draft, "change")).content.decode()
        assert "Laaffic refused with -12" in page
        for verb in ("resume", "edit", "cancel"):
            assert f'id="do-{verb}"' in page

        answer = admin_client.post(own_page(draft, "do", "edit"), follow=True)
        assert 'id="to-review"' in answer.content.decode()
        answer = admin_client.post(own_page(draft, "do", "cancel"), follow=True)
        assert "is a draft: it cannot be cancelled" in answer.content.decode()

    def test_a_persons_word_on_a_lost_answer(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign, run_jobs: Callable[[], int]
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        email_starting.launch(draft.pk)
        run_jobs()
        assert 'id="send-again"' in admin_client.get(own_page(draft, "change")).content.decode()

        given = {"word": "write_off", "reason": "looked at Laaffic"}
        page = admin_client.post(own_page(draft, "unknown"), given, follow=True).content.decode()
        assert "Another request of it has left since you looked" in page
        seen = EmailCampaign.objects.get().entry_id
        assert f'name="seen" value="{seen}"' in page
        page = admin_client.post(own_page(draft, "unknown"), {**given, "seen": seen}, follow=True).content.decode()
        assert "Written off: looked at Laaffic" in page


class FrontPageTests:
    def test_one_that_a_restore_made_unknown_says_so(self, admin_client: Client, draft: EmailCampaign) -> None:
        EmailCampaign.objects.update(state=EmailCampaignState.SENDING)
        now = timezone.now()

        restored.settle(now - dt.timedelta(hours=1), now)

        shown = admin_client.get(own_page(draft, "change")).content.decode()
        assert "The console was restored from a backup, and this may have been sent since." in shown
        assert "s answer was lost. The first callback" not in shown

    def test_what_runs_and_what_asks_for_somebody(self, admin_client: Client, draft: EmailCampaign) -> None:
        add_mails(draft, (Submission.SUBMITTED, Delivery.DELIVERED))
        EmailCampaign.objects.update(state=EmailCampaignState.RUNNING)
        assert "1 submitted, 1 delivered" in admin_client.get(reverse("admin:index")).content.decode()

        EmailCampaign.objects.update(state=EmailCampaignState.UNKNOWN)
        assert "s answer was lost" in admin_client.get(reverse("admin:index")).content.decode()

        EmailCampaign.objects.update(state=EmailCampaignState.HELD, hold_reason="Choose another template.")
        assert "Choose another template." in admin_client.get(reverse("admin:index")).content.decode()


class PermissionTests:
    @pytest.mark.parametrize("what", ["review", "change", "test", "unknown"])
    def test_doors_are_closed_without_permission(self, client: Client, draft: EmailCampaign, what: str) -> None:
        client.force_login(User.objects.create_user("staff", is_staff=True))

        assert client.get(own_page(draft, what)).status_code == 403
        assert client.post(own_page(draft, what)).status_code == 403
        assert client.post(own_page(draft, "do", "cancel")).status_code == 403

    def test_who_may_write_may_not_launch(self, client: Client, draft: EmailCampaign) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        names = ["view_emailcampaign", "change_emailcampaign"]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client.force_login(user)

        assert "but not launch them" in client.get(own_page(draft, "review")).content.decode()
        assert client.post(own_page(draft, "review")).status_code == 403
        assert client.post(own_page(draft, "test"), {"address": "a@b.example"}).status_code == 403

    def test_no_page_costs_more_with_more_mails(
        self, admin_client: Client, draft: EmailCampaign, django_assert_max_num_queries: Any
    ) -> None:
        EmailCampaign.objects.update(state=EmailCampaignState.RUNNING)
        add_mails(draft, *[(Submission.SUBMITTED, Delivery.PENDING)] * 300)
        with django_assert_max_num_queries(25) as asked:
            admin_client.get(own_page(draft, "change"))

        assert not [q for q in asked if 'FROM "messaging_emailmessage"' in q["sql"]]


class TicksTests:
    def test_what_laaffic_would_refuse_wants_a_tick_to_its_very_sentence(
        self, sandbox: RunningSandbox, admin_client: Client, draft: EmailCampaign
    ) -> None:
        email_choices.refresh_all()
        EmailCampaign.objects.update(template_id="3")
        review = own_page(draft, "review")
        shown = hidden(admin_client, review)

        refused = admin_client.post(review, shown).content.decode()
        assert 'id="missing"' in refused
        assert EmailCampaign.objects.get().state == "draft"
        EmailCampaign.objects.update(template_id="77")
        other = admin_client.post(review, {**hidden(admin_client, review), "seen": "list"}).content.decode()
        assert "The account has no template 77" in other
        admin_client.post(review, {**hidden(admin_client, review), "seen": "template"})

        assert EmailCampaign.objects.get().state != "draft"

    def test_it_says_that_no_price_and_no_clocks_are_known(self, admin_client: Client, draft: EmailCampaign) -> None:
        page = admin_client.get(own_page(draft, "review")).content.decode()

        assert "Laaffic names no price for emails" in page
        assert 'id="clocks-say"' in page
        assert 'id="undo-seconds"' in page
        assert 'id="what-differs"' in page


def test_a_new_campaigns_form_begins_empty(admin_client: Client) -> None:
    shown = admin_client.get("/admin/messaging/emailcampaign/add/")

    assert shown.context["form"]["consent_known_by"].value() == ""
    assert "DatabaseDefault" not in shown.content.decode()


@pytest.mark.parametrize("form", ["messaging/emailcampaign", "voice/grouptask", "voice/sipcall"])
def test_what_is_not_chosen_is_said_in_words(admin_client: Client, form: str) -> None:
    assert "---------" not in admin_client.get(f"/admin/{form}/add/").content.decode()

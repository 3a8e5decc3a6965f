"""A second person's word on an email campaign: the rules of SMS, bound to list, content and time."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import ApplicationCalendar, Approval, Calendar, EmailCampaign, EmailCampaignState
from messaging.services.approvals import approval_rules, approvals
from messaging.services.email import approval as email_approval
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import choices as email_choices
from messaging.services.email import drafts as email_drafts
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db(transaction=True)

State = EmailCampaignState
SENT = {
    "from_address": "test@mailpush.laaffic.cn",
    "receiver_id": "1001",
    "template_id": "1",
    "subject": "hello world",
}


@pytest.fixture(autouse=True)
def _limits(settings: Any, sandbox: RunningSandbox) -> None:
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
    settings.CONSOLE_URL = "http://127.0.0.1:9"
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 2  # three are on the list
    cache.clear()


@pytest.fixture
def mail_app(db: None) -> Application:
    return Application.objects.create(app_id="fKFtblIy", channel="email", name="News")


@pytest.fixture
def draft(mail_app: Application) -> EmailCampaign:
    return email_drafts.create(name="Spring", application=mail_app, **SENT)


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_superuser("bob")


def ask(draft: EmailCampaign, by: User) -> Approval:
    return approvals.ask(draft.pk, by=by, model=EmailCampaign)


def decide(draft: EmailCampaign, by: User, **given: Any) -> Approval:
    return approvals.decide(draft.pk, by=by, model=EmailCampaign, **{"approve": True, **given})


def approved(draft: EmailCampaign, ada: User, bob: User) -> None:
    ask(draft, ada)
    decide(draft, bob)


def fresh(draft: EmailCampaign) -> EmailCampaign:
    return EmailCampaign.objects.get(pk=draft.pk)


class NeedTests:
    def test_a_launch_without_it_is_refused_and_nothing_leaves(self, draft: EmailCampaign, ada: User) -> None:
        with pytest.raises(NotNow, match="more than 2 recipients: a second person"):
            email_starting.launch(draft.pk, by=ada)

        assert fresh(draft).state == State.DRAFT

    @pytest.mark.parametrize("limit", [0, 3])
    def test_a_smaller_one_needs_none(self, draft: EmailCampaign, settings: Any, limit: int) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = limit

        assert email_starting.launch(draft.pk).state == State.SENDING

    def test_a_list_of_unknown_size_needs_it(self, draft: EmailCampaign, ada: User, bob: User) -> None:
        EmailCampaign.objects.update(receiver_id="77")

        with pytest.raises(NotNow, match="is not known: a second person"):
            email_starting.launch(draft.pk)
        approved(draft, ada, bob)
        assert email_starting.launch(draft.pk).state == State.SENDING

    @pytest.mark.parametrize(("most", "is_needed"), [(0, True), (3, False)])
    def test_where_only_a_cost_is_set_each_needs_it(
        self, draft: EmailCampaign, settings: Any, most: int, is_needed: bool
    ) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS, settings.LAAFFIC_APPROVAL_COST = most, Decimal(1)
        email_choices.refresh(draft.application)

        assert bool(approval_rules.missing(draft)) is is_needed

    def test_the_shell_obeys_and_keeps_the_draft(self, mail_app: Application, ada: User, bob: User) -> None:
        options = {"from": "from_address", "list": "receiver_id", "template": "template_id", "subject": "subject"}
        given = [f"--{option}={SENT[name]}" for option, name in options.items()]

        with pytest.raises(CommandError, match=r"more than 2 recipients: a second person(.|\n)*draft \d+: .*launch"):
            call_command("email", "send", f"--app={mail_app.app_id}", *given)
        draft = EmailCampaign.objects.get()
        with pytest.raises(CommandError, match="a second person has to approve it"):
            call_command("email", "launch", str(draft.pk))
        approved(draft, ada, bob)
        call_command("email", "launch", str(draft.pk))

        assert fresh(draft).state == State.SENDING


class WordTests:
    def test_with_it_the_launch_goes_on_and_the_events_say_so(self, draft: EmailCampaign, ada: User, bob: User) -> None:
        approved(draft, ada, bob)

        assert email_starting.launch(draft.pk, by=ada).state == State.SENDING
        assert [(event.text, str(event.actor)) for event in draft.events.order_by("pk")][1:3] == [
            ("Approval asked for: 3 recipients", "ada"),
            ("Approved", "bob"),
        ]

    def test_who_only_presses_save_is_no_author(self, draft: EmailCampaign, bob: User) -> None:
        email_drafts.save(draft, columns=["name", "subject"], by=bob)
        assert not draft.authors.filter(pk=bob.pk).exists()

        draft.subject = "Another"
        email_drafts.save(draft, columns=["name", "subject"], by=bob)
        assert draft.authors.filter(pk=bob.pk).exists()

    def test_neither_who_asked_nor_who_wrote_approves(self, draft: EmailCampaign, ada: User, bob: User) -> None:
        ask(draft, ada)
        draft.authors.add(bob)

        for person, says in ((ada, "You asked for this"), (bob, "You wrote this")):
            with pytest.raises(NotNow, match=says):
                decide(draft, person)
        assert not approvals.waiting_for(bob).exists()

    def test_a_refusal_stops_it_and_says_why(self, draft: EmailCampaign, ada: User, bob: User) -> None:
        ask(draft, ada)
        decide(draft, bob, approve=False, note="Wrong list")

        with pytest.raises(NotNow, match="bob refused it: Wrong list"):
            email_starting.launch(draft.pk)


LATER = timezone.now() + dt.timedelta(days=1)
EDITS: dict[str, dict[str, Any]] = {
    "the sender address": {"from_address": "other@mailpush.laaffic.cn"},
    "the recipient list": {"receiver_id": "1000"},
    "the template": {"template_id": "2"},
    "the subject": {"subject": "Other"},
    "language, marks and trigger": {"language": "zh"},
    "the schedule": {"scheduled_at": LATER},
}


class VoidTests:
    @pytest.mark.parametrize("part", EDITS)
    def test_an_edit_voids_it_and_says_what(self, draft: EmailCampaign, ada: User, bob: User, part: str) -> None:
        approved(draft, ada, bob)
        EmailCampaign.objects.update(**EDITS[part])

        with pytest.raises(NotNow, match=f"changed since approval was asked for: .*{part}"):
            email_starting.launch(draft.pk)
        approvals.void_if_changed(fresh(draft), by=ada)
        assert Approval.objects.get().outcome == "void"
        assert f"changed: {part}" in draft.events.first().text

    def test_every_field_that_is_sent_is_bound(self, draft: EmailCampaign) -> None:
        parts = email_approval.EmailDrafts().parts
        other = Application.objects.create(app_id="other", channel="email")
        values = {"application_id": other.pk, "ad_flag": 1, "trigger_id": 5, "unsubscribe": True, "scheduled_at": LATER}

        for name in email_drafts.CONTENT:
            before = parts(draft)
            setattr(draft, name, values.get(name, "other"))
            assert parts(draft) != before, name

    def test_a_list_that_grew_at_laaffic_holds_the_start(
        self, draft: EmailCampaign, ada: User, bob: User, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        EmailCampaign.objects.update(scheduled_at=LATER, receiver_id="1000")
        sandbox.sandbox.options.email_list_size = 10
        approved(draft, ada, bob)
        email_starting.launch(draft.pk, by=ada)
        sandbox.sandbox.options.email_list_size = 12
        its_time_has_come(monkeypatch)

        email_campaigns.sweep()

        held = fresh(draft)
        assert held.state == State.HELD
        assert "how many are on the list: 10 before, 12 now" in held.hold_reason
        assert "Make it a draft again: then it can be approved." in held.hold_reason
        with pytest.raises(NotNow, match="Make it a draft again: then it can be approved"):
            email_starting.resume(draft.pk, by=ada)
        assert email_starting.edit_again(draft.pk, by=ada).state == State.DRAFT

    def test_what_may_have_left_is_not_told_to_become_a_draft(
        self, draft: EmailCampaign, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        email_choices.refresh(draft.application)
        EmailCampaign.objects.update(state=State.HELD)
        monkeypatch.setattr(email_states, "may_have_arrived", lambda campaign: True)

        with pytest.raises(NotNow, match="its first request may have arrived"):
            email_starting.resume(draft.pk, by=ada)

    def test_a_list_that_grew_since_is_seen_at_the_launch_from_the_page_too(
        self, draft: EmailCampaign, ada: User, bob: User, sandbox: RunningSandbox, admin_client: Client
    ) -> None:
        EmailCampaign.objects.update(receiver_id="1000")
        sandbox.sandbox.options.email_list_size = 10
        approved(draft, ada, bob)
        review = reverse("admin:messaging_emailcampaign_review", args=[draft.pk])
        given = hidden(admin_client, review)
        sandbox.sandbox.options.email_list_size = 12

        first = admin_client.post(review, given).content.decode()
        again = admin_client.post(review, hidden(admin_client, review)).content.decode()

        assert "It was changed since you looked" in first
        assert "how many are on the list: 10 before, 12 now" in again
        assert fresh(draft).state == State.DRAFT

    def test_what_the_account_held_goes_on_only_as_approved(
        self, draft: EmailCampaign, ada: User, bob: User, sandbox: RunningSandbox
    ) -> None:
        EmailCampaign.objects.update(receiver_id="1000")
        sandbox.sandbox.options.email_list_size = 10
        approved(draft, ada, bob)
        EmailCampaign.objects.update(state=State.HELD, is_held_by_account=True)
        sandbox.sandbox.options.email_list_size = 12

        email_starting.follow_account()

        assert "10 before, 12 now" in fresh(draft).hold_reason

    def test_resumed_past_its_end_the_word_still_counts(
        self,
        draft: EmailCampaign,
        ada: User,
        bob: User,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        EmailCampaign.objects.update(latest_end=timezone.now() + dt.timedelta(minutes=1))
        approved(draft, ada, bob)
        email_starting.launch(draft.pk, by=ada)
        later = timezone.now() + dt.timedelta(minutes=2)
        monkeypatch.setattr(database_clock, "now", lambda: later)
        run_jobs()
        assert "It was not to send after" in fresh(draft).hold_reason

        email_starting.resume(draft.pk, by=ada)
        run_jobs()

        assert (fresh(draft).hold_reason, LedgerEntry.objects.exists()) == ("", True)

    @pytest.mark.parametrize("waits", ["for its hours", "for another try", "for a worker"])
    def test_what_grew_while_its_request_waited_is_held(
        self,
        draft: EmailCampaign,
        ada: User,
        bob: User,
        sandbox: RunningSandbox,
        run_jobs: Callable[[], int],
        waits: str,
    ) -> None:
        launched_as_approved_for_ten(draft, ada, bob, sandbox)
        made_to_wait(draft, waits, run_jobs)
        assert fresh(draft).state == State.SENDING
        sandbox.sandbox.options.email_list_size = 12
        Calendar.objects.update(hours="mon-sun 00:00-24:00")

        email_campaigns.sweep()
        run_jobs()

        assert (fresh(draft).state, LedgerEntry.objects.exists()) == (State.HELD, False)
        assert "how many are on the list: 10 before, 12 now" in fresh(draft).hold_reason

    @pytest.mark.parametrize("waits", ["for its hours", "for another try", "for a worker"])
    def test_what_is_as_approved_when_its_wait_ends_leaves(
        self,
        draft: EmailCampaign,
        ada: User,
        bob: User,
        sandbox: RunningSandbox,
        run_jobs: Callable[[], int],
        waits: str,
    ) -> None:
        launched_as_approved_for_ten(draft, ada, bob, sandbox)
        made_to_wait(draft, waits, run_jobs)
        Calendar.objects.update(hours="mon-sun 00:00-24:00")

        email_campaigns.sweep()
        run_jobs()

        assert fresh(draft).state == State.RUNNING

    def test_a_repeat_by_a_persons_word_is_not_asked_for_another_one_unless_it_waits(
        self, draft: EmailCampaign, ada: User, bob: User, sandbox: RunningSandbox, run_jobs: Callable[[], int]
    ) -> None:
        launched_as_approved_for_ten(draft, ada, bob, sandbox)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1, paths=["/email/batchSend"])
        run_jobs()
        assert fresh(draft).state == State.UNKNOWN
        sandbox.sandbox.options.email_list_size = 12
        email_choices.refresh(draft.application)

        email_campaigns.send_again(draft.pk, reason="nothing of it is there", by=ada)
        EmailCampaign.objects.update(not_before=timezone.now() - dt.timedelta(seconds=1))
        run_jobs()
        assert "10 before, 12 now" in fresh(draft).hold_reason

        EmailCampaign.objects.update(state=State.UNKNOWN)
        email_campaigns.send_again(draft.pk, reason="nothing of it is there", by=ada)
        run_jobs()
        assert fresh(draft).state == State.RUNNING

    def test_a_scheduled_one_that_is_as_approved_starts(
        self, draft: EmailCampaign, ada: User, bob: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        EmailCampaign.objects.update(scheduled_at=LATER)
        approved(draft, ada, bob)
        email_starting.launch(draft.pk, by=ada)
        its_time_has_come(monkeypatch)

        email_campaigns.sweep()

        assert fresh(draft).state == State.SENDING


def launched_as_approved_for_ten(draft: EmailCampaign, ada: User, bob: User, sandbox: RunningSandbox) -> None:
    EmailCampaign.objects.update(receiver_id="1000")
    sandbox.sandbox.options.email_list_size = 10
    approved(draft, ada, bob)
    email_starting.launch(draft.pk, by=ada)


def made_to_wait(draft: EmailCampaign, waits: str, run_jobs: Callable[[], int]) -> None:
    past = timezone.now() - dt.timedelta(seconds=70)
    if waits == "for its hours":
        day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(timezone.localdate() + dt.timedelta(2)).weekday()]
        calendar = Calendar.objects.create(name="Mails", hours=f"{day} 09:00-17:00")
        ApplicationCalendar.objects.create(application=draft.application, calendar=calendar)
        run_jobs()
        assert fresh(draft).waits_for_hours
    elif waits == "for another try":
        EmailCampaign.objects.update(not_before=past)
    else:
        EmailCampaign.objects.update(launched_at=past)


def its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    later = LATER + dt.timedelta(seconds=30)
    for clock in (timezone, database_clock):
        monkeypatch.setattr(clock, "now", lambda: later)


class PageTests:
    def test_who_may_only_launch_makes_a_held_one_a_draft_again_and_asks(
        self, draft: EmailCampaign, as_role: Callable[[str], Client]
    ) -> None:
        EmailCampaign.objects.update(state=State.HELD, hold_reason="Not approved.")
        operator = as_role("Operator")
        own = reverse("admin:messaging_emailcampaign_change", args=[draft.pk])
        offered = "do-take-back" in operator.get(own).content.decode()

        led_to = operator.post(reverse("admin:messaging_emailcampaign_do", args=[draft.pk, "take-back"]))

        assert offered
        assert led_to["Location"] == reverse("admin:messaging_emailcampaign_review", args=[draft.pk])
        assert (fresh(draft).state, fresh(draft).hold_reason) == (State.DRAFT, "")

    def address(self, draft: EmailCampaign, verb: str) -> str:
        return reverse("admin:messaging_emailcampaign_approval", args=[draft.pk, verb])

    def test_an_operator_asks_and_an_approver_decides(
        self, draft: EmailCampaign, as_role: Callable[[str], Client]
    ) -> None:
        email_choices.refresh(draft.application)
        operator, approver = as_role("Operator"), as_role("Approver")
        review = reverse("admin:messaging_emailcampaign_review", args=[draft.pk])

        refused = [operator.post(self.address(draft, verb)).status_code for verb in ("approve", "refuse")]
        operator.post(review, hidden(operator, review))
        before = fresh(draft).state
        operator.post(self.address(draft, "ask"), {"note": "for the weekend"})
        given = hidden(approver, review)
        seen = [client.get(review).content.decode() for client in (operator, approver)]
        front = [client.get("/admin/").content.decode() for client in (operator, approver)]
        listed = approver.get(reverse("admin:messaging_approval_changelist")).content.decode()
        approver.post(self.address(draft, "approve"), given)
        operator.post(review, hidden(operator, review))

        assert (refused, before) == ([403, 403], State.DRAFT)
        assert ['id="approve"' in page for page in seen] == [False, True]
        assert "for the weekend" in seen[1]
        assert ["waits for your approval" in page for page in front] == [False, True]
        assert "Spring" in listed
        assert fresh(draft).state == State.SENDING

    def test_a_page_that_is_stale_decides_nothing(
        self, draft: EmailCampaign, as_role: Callable[[str], Client], ada: User
    ) -> None:
        email_choices.refresh(draft.application)
        approver = as_role("Approver")
        review = reverse("admin:messaging_emailcampaign_review", args=[draft.pk])
        ask(draft, ada)
        given = hidden(approver, review)
        EmailCampaign.objects.update(subject="Other")
        ask(draft, ada)

        for posted in (given, {}):
            answer = approver.post(self.address(draft, "approve"), posted, follow=True)
            assert "requested again" in answer.content.decode()
        assert draft.approvals.first().outcome == "asked"

    def test_an_edit_in_the_form_voids_it_and_its_editor_is_an_author(
        self, admin_client: Client, draft: EmailCampaign, ada: User, bob: User
    ) -> None:
        approved(draft, ada, bob)
        change = reverse("admin:messaging_emailcampaign_change", args=[draft.pk])
        form = {"name": "Spring", "application": draft.application_id, **SENT, "unsubscribe": "unknown"}
        admin_client.post(change, {**form, "subject": "Other"})

        assert draft.approvals.get().outcome == "void"
        assert draft.events.first().text == "Approval void, changed: the subject"
        with translation.override("zh-hans"):
            assert "the subject" not in str(draft.events.first().text)
        page = admin_client.get(reverse("admin:messaging_emailcampaign_review", args=[draft.pk])).content.decode()
        assert "bob approved it" in page
        assert "because this was changed: the subject." in page
        assert approvals.is_author(draft, User.objects.get(username="admin"))

    def test_a_draft_is_deleted_with_what_was_asked(
        self, admin_client: Client, draft: EmailCampaign, ada: User
    ) -> None:
        ask(draft, ada)

        admin_client.post(reverse("admin:messaging_emailcampaign_delete", args=[draft.pk]), {"post": "yes"})

        assert not EmailCampaign.objects.exists()

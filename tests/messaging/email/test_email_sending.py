"""An email campaign's one request: recorded, called, settled, and settled without its answer."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, EntryState, LedgerEntry, PushedBody
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import EmailSubmission, NotSent, Refused, SendEmailResult, SubmissionState
from laaffic_console.laaffic.codes import Family, lookup
from laaffic_console.sandbox.email import EmailInterfaces
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Delivery, EmailCampaign, EmailCampaignState, EmailChoice, EmailLookup, EmailMessage
from messaging.services.email import callbacks as email_callbacks
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import choices as email_choices
from messaging.services.email import counting as email_counting
from messaging.services.email import drafts as email_drafts
from messaging.services.email import launch_checks as email_checks
from messaging.services.email import sending as email_sending
from messaging.services.email import starting as email_starting
from messaging.services.email import trial_emails
from tests.losing_departures import lose_departures

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "a-token-that-nobody-guesses"
State = EmailCampaignState


@pytest.fixture(autouse=True)
def _hooks(settings: LazySettings) -> Iterator[None]:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    settings.CONSOLE_URL = "http://127.0.0.1:9"  # nobody listens: callbacks are posted by hand here
    cache.clear()  # a bell that a test before this one rang
    yield
    account.laaffic_client.cache_clear()


@pytest.fixture
def mail_app(db: None) -> Application:
    return Application.objects.create(app_id="fKFtblIy", channel="email")


def draft(application: Application, **fields: Any) -> EmailCampaign:
    given = {
        "name": "Spring",
        "application": application,
        "from_address": "test@mailpush.laaffic.cn",
        "receiver_id": "1001",
        "subject": "hello world",
        "template_id": "1",
    }
    return email_drafts.create(**{**given, **fields})


def launched(application: Application, **fields: Any) -> EmailCampaign:
    return email_starting.launch(draft(application, **fields).pk)


def fresh(campaign: EmailCampaign) -> EmailCampaign:
    return EmailCampaign.objects.select_related("entry").get(pk=campaign.pk)


def call_states() -> list[str]:
    return list(LedgerEntry.objects.order_by("pk").values_list("state", flat=True))


def emails_of(sandbox: RunningSandbox) -> EmailInterfaces:
    return next(f for f in sandbox.sandbox.families if isinstance(f, EmailInterfaces))


def tell(campaign: EmailCampaign, *, mark: str | None = None, **entry: str) -> None:
    """A callback as the vendor posts it."""
    body = {"taskId": "t1", "emailId": "e1", "toAddress": "ann@example.com", "emailState": "success", "remark": "ok"}
    path = f"/hooks/{TOKEN}/email-report/{campaign.mark if mark is None else mark}/".replace("//", "/")
    answer = Client().post(path, {**body, **entry}, content_type="application/json")
    assert answer.status_code == 200


class SendTests:
    def test_everything_goes_out_in_one_recorded_call(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        campaign = launched(mail_app, language="en", ad_flag=2, trigger_id=7, unsubscribe=True)
        run_jobs()

        campaign = fresh(campaign)
        (task,) = emails_of(sandbox).tasks.items()
        assert (campaign.state, campaign.task_id) == (State.RUNNING, task[0])
        assert task[1]["url"] == f"http://127.0.0.1:9/hooks/{TOKEN}/email-report/{campaign.mark}/"
        entry = LedgerEntry.objects.get()
        assert (entry.interface, entry.state, entry.about_id) == (
            "email/batchSendEmail",
            EntryState.ACCEPTED,
            campaign.pk,
        )
        assert TOKEN not in str(vars(entry))
        assert campaign.mark not in str(vars(entry))

    @pytest.mark.parametrize("is_committed", [True, False])
    def test_a_departure_lost_with_the_database_sends_nothing_and_goes_again(
        self,
        sandbox: RunningSandbox,
        mail_app: Application,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        is_committed: bool,
    ) -> None:
        lose_departures(monkeypatch, is_committed=is_committed)

        campaign = launched(mail_app)
        run_jobs()

        assert (call_states(), emails_of(sandbox).tasks) == ([EntryState.NOT_SENT], {})
        assert (fresh(campaign).state, "database was away" in fresh(campaign).wait_reason) == (State.SENDING, True)

    def test_a_second_launch_and_a_second_job_send_nothing_more(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        campaign = launched(mail_app)
        email_starting.launch(campaign.pk)
        run_jobs()
        email_sending.send(campaign.pk)

        assert call_states() == [EntryState.ACCEPTED]
        assert len(emails_of(sandbox).tasks) == 1

    def test_it_waits_for_its_time(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        campaign = launched(mail_app, scheduled_at=timezone.now() + dt.timedelta(hours=1))
        email_campaigns.sweep()
        run_jobs()
        assert (fresh(campaign).state, call_states()) == (State.SCHEDULED, [])

        EmailCampaign.objects.update(scheduled_at=timezone.now())
        email_campaigns.sweep()
        run_jobs()
        assert fresh(campaign).state == State.RUNNING

    def test_what_is_far_past_its_time_asks(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        """No worker ran for two hours, and a mail of nine o'clock would come at eleven."""
        campaign = launched(mail_app, scheduled_at=timezone.now() + dt.timedelta(hours=1))
        EmailCampaign.objects.update(scheduled_at=timezone.now() - dt.timedelta(hours=2))

        email_campaigns.sweep()
        run_jobs()

        assert (fresh(campaign).state, emails_of(sandbox).tasks) == (State.HELD, {})
        assert "120 minutes past its time" in fresh(campaign).hold_reason
        email_starting.resume(campaign.pk)
        run_jobs()
        assert fresh(campaign).state == State.RUNNING

    def test_its_list_is_as_long_as_it_is_when_it_leaves(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        asked = EmailLookup.objects.create(application=mail_app, kind="list", asked_at=timezone.now())
        known = EmailChoice.objects.create(lookup=asked, value="1001", name="Customers", detail={"count": 2})
        campaign = launched(mail_app, scheduled_at=timezone.now() + dt.timedelta(hours=1))
        assert fresh(campaign).receiver_count == 2
        EmailChoice.objects.filter(pk=known.pk).update(detail={"count": 4})
        EmailCampaign.objects.update(scheduled_at=timezone.now())
        email_campaigns.sweep()
        run_jobs()

        assert (fresh(campaign).state, fresh(campaign).receiver_count) == (State.RUNNING, 4)

    def test_without_an_id_in_the_answer_the_callback_brings_it(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        sandbox.sandbox.options.dialect = "seed"
        campaign = launched(mail_app)
        run_jobs()
        assert (fresh(campaign).state, fresh(campaign).task_id) == (State.RUNNING, "")

        tell(campaign, taskId="t9")
        run_jobs()
        assert fresh(campaign).task_id == "t9"


class LostAnswerTests:
    @pytest.fixture
    def lost(self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]) -> EmailCampaign:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        campaign = launched(mail_app)
        run_jobs()
        return fresh(campaign)

    def test_it_is_unknown_and_never_sent_again_by_itself(
        self, lost: EmailCampaign, sandbox: RunningSandbox, run_jobs: Callable[[], int]
    ) -> None:
        for _ in range(3):
            email_campaigns.sweep()
            run_jobs()

        assert fresh(lost).state == State.UNKNOWN
        assert call_states() == [EntryState.UNKNOWN]
        assert len(emails_of(sandbox).tasks) == 1

    def test_a_callback_with_our_mark_settles_it_without_any_task_id(
        self, lost: EmailCampaign, run_jobs: Callable[[], int]
    ) -> None:
        tell(lost, taskId="never seen before")
        run_jobs()

        lost = fresh(lost)
        assert (lost.state, lost.task_id) == (State.RUNNING, "never seen before")
        assert lost.entry.state == EntryState.ACCEPTED
        assert "a callback under this campaign's mark" in lost.entry.evidence
        assert email_counting.counts(lost)["total"] == 1

    def test_evidence_that_comes_days_later_begins_the_window_of_its_reports(
        self, lost: EmailCampaign, run_jobs: Callable[[], int]
    ) -> None:
        LedgerEntry.objects.update(left_at=timezone.now() - dt.timedelta(days=30))
        EmailCampaign.objects.update(receiver_count=4)
        tell(lost)
        run_jobs()

        assert not email_campaigns.is_past_window(fresh(lost))
        assert not email_campaigns.finish_if_done(lost.pk)

    def test_a_repeat_refused_as_a_duplicate_proves_that_the_first_arrived(
        self, lost: EmailCampaign, sandbox: RunningSandbox, run_jobs: Callable[[], int]
    ) -> None:
        email_campaigns.send_again(lost.pk, reason="nobody got a mail")
        run_jobs()

        assert fresh(lost).state == State.RUNNING
        assert call_states() == [EntryState.ACCEPTED, EntryState.REFUSED]
        assert len(emails_of(sandbox).tasks) == 1

    @pytest.mark.parametrize(
        ("receiver_id", "state", "becomes"),
        [
            ("1001", EntryState.ACCEPTED, State.UNKNOWN),
            ("1001", EntryState.UNKNOWN, State.UNKNOWN),
            ("1001", EntryState.REFUSED, State.RUNNING),
            ("1002", EntryState.ACCEPTED, State.RUNNING),
        ],
    )
    def test_it_proves_nothing_where_another_campaign_went_to_the_same_list(
        self, lost: EmailCampaign, run_jobs: Callable[[], int], receiver_id: str, state: str, becomes: str
    ) -> None:
        other = draft(lost.application, name="Other", receiver_id=receiver_id, subject="Something else")
        LedgerEntry.objects.create(
            interface="email/batchSendEmail",
            application=lost.application,
            about_kind=email_sending.ABOUT,
            about_id=other.pk,
            state=state,
            prepared_at=timezone.now(),
        )

        email_campaigns.send_again(lost.pk, reason="nobody got a mail")
        run_jobs()

        assert fresh(lost).state == becomes
        first = LedgerEntry.objects.filter(about_id=lost.pk).earliest("pk")
        assert first.state == (EntryState.UNKNOWN if becomes == State.UNKNOWN else EntryState.ACCEPTED)
        assert fresh(lost).entry == first

    def test_written_off_it_rests_and_a_late_callback_still_counts(
        self, lost: EmailCampaign, run_jobs: Callable[[], int]
    ) -> None:
        email_campaigns.write_off(lost.pk, reason="looked in the console of Laaffic")
        assert fresh(lost).state == State.CANCELLED

        tell(lost)
        run_jobs()
        assert fresh(lost).state == State.RUNNING

    def test_a_word_without_a_reason_is_none(self, lost: EmailCampaign) -> None:
        with pytest.raises(ValidationError, match="Say why"):
            email_campaigns.send_again(lost.pk, reason=" ")
        with pytest.raises(NotNow):
            email_campaigns.cancel(lost.pk)

    def test_a_callback_before_the_answer_settles_and_the_error_after_it_changes_nothing(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int], monkeypatch: Any
    ) -> None:
        settle = email_sending.settle_error
        campaign = launched(mail_app)

        def callback_first(*given: Any) -> None:
            tell(campaign)
            email_callbacks.INBOX.apply_some()
            settle(*given)

        monkeypatch.setattr(email_sending, "settle_error", callback_first)
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        run_jobs()

        assert fresh(campaign).state == State.RUNNING
        assert call_states() == [EntryState.ACCEPTED]

    def test_a_dead_worker_leaves_unknown_or_unsent_as_its_row_says(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        campaign = launched(mail_app)
        _, entry = email_sending._claim(campaign.pk)  # and dies before it departs
        run_jobs()
        assert call_states() == [EntryState.NOT_SENT, EntryState.ACCEPTED]

        other = launched(mail_app, name="Other")
        _, entry = email_sending._claim(other.pk)
        assert ledger.depart(entry.pk)  # and dies while the request is under way
        run_jobs()
        assert fresh(other).state == State.UNKNOWN
        assert call_states()[2:] == [EntryState.UNKNOWN]


class TestMailTests:
    def test_a_dead_process_leaves_no_test_in_flight(self, mail_app: Application) -> None:
        long_ago = timezone.now() - dt.timedelta(minutes=5)
        for state in (EntryState.PREPARED, EntryState.IN_FLIGHT):
            LedgerEntry.objects.create(
                interface=trial_emails.INTERFACE, about_kind="email campaign", state=state, prepared_at=long_ago
            )
        LedgerEntry.objects.create(
            interface=trial_emails.INTERFACE,
            about_kind="email campaign",
            state=EntryState.IN_FLIGHT,
            prepared_at=timezone.now(),
        )

        trial_emails.sweep()

        assert call_states() == [EntryState.NOT_SENT, EntryState.UNKNOWN, EntryState.IN_FLIGHT]


class RefusalTests:
    def test_a_refusal_holds_with_a_sentence_and_can_be_mended(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        campaign = launched(mail_app, template_id="3")
        run_jobs()
        held = fresh(campaign)
        assert (held.state, held.is_held_by_account) == (State.HELD, False)
        assert held.hold_reason.startswith("Laaffic refused with -12: template not approved.")

        email_starting.edit_again(campaign.pk)
        EmailCampaign.objects.update(template_id="1")
        email_starting.launch(campaign.pk)
        run_jobs()
        assert fresh(campaign).state == State.RUNNING
        assert call_states() == [EntryState.REFUSED, EntryState.ACCEPTED]

    def test_a_duplicate_without_a_lost_answer_is_a_refusal(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        sandbox.set_faults(status="-2", status_calls=1)
        campaign = launched(mail_app)
        run_jobs()

        assert fresh(campaign).state == State.HELD
        assert "duplicate" in fresh(campaign).hold_reason

    def test_a_gateway_that_is_away_is_tried_again(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int], settings: LazySettings
    ) -> None:
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
        account.laaffic_client.cache_clear()
        campaign = launched(mail_app)
        run_jobs()
        waiting = fresh(campaign)
        assert (waiting.state, call_states()) == (State.SENDING, [EntryState.NOT_SENT])
        assert "cannot be reached" in waiting.wait_reason
        assert waiting.not_before > timezone.now()

        settings.LAAFFIC_BASE_URL = sandbox.base_url
        account.laaffic_client.cache_clear()
        EmailCampaign.objects.update(not_before=timezone.now())
        email_campaigns.sweep()
        run_jobs()
        assert fresh(campaign).state == State.RUNNING
        assert fresh(campaign).wait_reason == ""

    @pytest.mark.parametrize("address", ['"Smith,Bob"@example.com', "Bob <bob@example.com>"])
    def test_what_cannot_be_asked_for_holds_and_is_not_tried_for_ever(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int], address: str
    ) -> None:
        campaign = launched(mail_app)
        EmailCampaign.objects.update(from_address=address)  # as an earlier version took it
        run_jobs()

        campaign = fresh(campaign)
        assert campaign.state == State.HELD
        assert campaign.not_before is None
        assert "Its requests cannot be made" in campaign.hold_reason
        assert "is not an email address" in campaign.hold_reason
        assert call_states() == [EntryState.NOT_SENT]
        assert not emails_of(sandbox).tasks

    def test_a_credential_code_holds_the_account_and_goes_on_by_itself(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        sandbox.set_faults(status="-1", status_calls=1)
        campaign, other = launched(mail_app), launched(mail_app, name="Other", subject="another")
        email_sending.send(campaign.pk)
        email_sending.send(other.pk)
        assert [fresh(c).state for c in (campaign, other)] == [State.HELD, State.HELD]
        assert call_states() == [EntryState.REFUSED, EntryState.NOT_SENT]
        with pytest.raises(NotNow, match="goes on by itself"):
            email_starting.resume(campaign.pk)

        account_hold.release(AccountHold.objects.get().pk, because="a test")
        run_jobs()
        assert [fresh(c).state for c in (campaign, other)] == [State.RUNNING, State.RUNNING]

    def test_what_has_not_left_can_be_cancelled_and_what_has_cannot(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        campaign, other = launched(mail_app), launched(mail_app, name="Other", subject="another")
        email_campaigns.cancel(campaign.pk)
        run_jobs()

        assert [fresh(c).state for c in (campaign, other)] == [State.CANCELLED, State.RUNNING]
        with pytest.raises(NotNow, match="no way to take emails back"):
            email_campaigns.cancel(other.pk)

    def test_cancelled_between_record_and_departure_it_does_not_leave(
        self, sandbox: RunningSandbox, mail_app: Application, monkeypatch: Any
    ) -> None:
        campaign = launched(mail_app)
        claim = email_sending._claim

        def claim_then_cancel(campaign_id: int) -> Any:
            claimed = claim(campaign_id)
            email_campaigns.cancel(campaign_id)
            return claimed

        monkeypatch.setattr(email_sending, "_claim", claim_then_cancel)
        email_sending.send(campaign.pk)

        assert (fresh(campaign).state, call_states()) == (State.CANCELLED, [EntryState.NOT_SENT])
        assert emails_of(sandbox).tasks == {}


class CheckTests:
    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("subject", "x" * 101, "The subject has 101 characters; at most 100 are possible. Shorten it by one"),
            ("subject", " ", "Write a subject"),
            ("subject", "a\nb", "one line"),
            ("from_address", "nobody", "is not an email address"),
            ("from_address", '"a,b"@example.com', "is not an email address"),
            ("from_address", '"a<b"@example.com', "is not an email address"),
            ("receiver_id", "10 00", "no spaces"),
        ],
    )
    def test_bad_input_is_named_at_its_field(self, mail_app: Application, field: str, value: str, said: str) -> None:
        with pytest.raises(ValidationError) as caught:
            draft(mail_app, **{field: value})

        assert said in caught.value.message_dict[field][0]

    def test_an_application_of_another_channel(self, application: Application) -> None:
        with pytest.raises(ValidationError, match="Choose one for email"):
            draft(application)

    def test_without_a_push_token_nothing_is_launched(
        self, sandbox: RunningSandbox, mail_app: Application, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_PUSH_TOKENS = []

        with pytest.raises(ValidationError, match="LAAFFIC_PUSH_TOKENS"):
            launched(mail_app)

        assert EmailCampaign.objects.get().state == State.DRAFT
        assert PushedBody.objects.count() == 0


class TestOutcomeTests:
    @pytest.mark.parametrize(
        ("faults", "error", "says"),
        [
            ({"next_fault": "reset_after", "next_calls": 1}, trial_emails.TestUnknown, "Look into the mailbox"),
            ({"status": "-12", "status_calls": 1}, trial_emails.TestFailed, "-12"),
        ],
    )
    def test_a_test_says_what_became_of_it(
        self, sandbox: RunningSandbox, mail_app: Application, faults: Any, error: type[Exception], says: str
    ) -> None:
        sandbox.set_faults(**faults)

        with pytest.raises(error, match=says):
            trial_emails.send_test(draft(mail_app), "ann@example.com")

    def test_a_gateway_that_is_away_took_no_test(
        self, sandbox: RunningSandbox, mail_app: Application, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
        account.laaffic_client.cache_clear()

        with pytest.raises(trial_emails.TestFailed, match="The test was not sent"):
            trial_emails.send_test(draft(mail_app), "ann@example.com")

        assert call_states() == [EntryState.NOT_SENT]

    def test_while_the_account_is_held_no_test_leaves(self, sandbox: RunningSandbox, mail_app: Application) -> None:
        account_hold.place(Refused(interface="x", entry=lookup(Family.EMAIL, "-1"), reason="", http_status=200))

        with pytest.raises(trial_emails.TestFailed, match="-1"):
            trial_emails.send_test(draft(mail_app), "ann@example.com")

        assert emails_of(sandbox).tasks == {}

    def test_an_address_that_the_answer_leaves_out_was_refused(
        self, sandbox: RunningSandbox, mail_app: Application
    ) -> None:
        sandbox.set_faults(leave_out=["ann@example.com"])
        campaign = draft(mail_app)

        with pytest.raises(
            trial_emails.TestFailed, match="was not submitted: the answer leaves the address out"
        ) as told:
            trial_emails.send_test(campaign, "ann@example.com")

        assert not isinstance(told.value, trial_emails.TestUnknown)
        assert call_states() == [EntryState.REFUSED]
        assert "was not submitted" in campaign.events.latest("pk").text

        sandbox.set_faults(leave_out=[])
        trial_emails.send_test(campaign, "ann@example.com")  # nothing is open: no reason is asked for
        assert call_states() == [EntryState.REFUSED, EntryState.ACCEPTED]

    @pytest.mark.parametrize(
        ("emails", "counts", "state", "says"),
        [
            ([], (0, 1), EntryState.REFUSED, "the answer leaves the address out"),
            ([], (None, 1), EntryState.REFUSED, "the answer leaves the address out"),
            ([], (1, 0), EntryState.ACCEPTED, "names no email"),
            ([], (None, None), EntryState.UNKNOWN, "does not say whether"),
            ([("ann@example.com", "submitted", "")], (None, None), EntryState.ACCEPTED, "submitted as email e1"),
            ([("Ann@Example.com", "failed", "no such address")], (0, 1), EntryState.REFUSED, "no such address"),
            ([("", "failed", "")], (None, None), EntryState.REFUSED, "leaves the address out"),
            ([("ann@example.com", "unknown", "in Bearbeitung")], (None, None), EntryState.UNKNOWN, "in Bearbeitung"),
            ([("ann@example.com", "unknown", "gesendet")], (1, 0), EntryState.ACCEPTED, "submitted as email e1"),
            ([("ben@example.com", "submitted", "")], (None, None), EntryState.UNKNOWN, "does not say whether"),
        ],
    )
    def test_the_ledger_says_what_the_answer_says_of_the_address(
        self, mail_app: Application, monkeypatch: Any, emails: Any, counts: Any, state: str, says: str
    ) -> None:
        rows = [EmailSubmission("", "e1", to, SubmissionState(word), "", remark) for to, word, remark in emails]
        result = SendEmailResult(rows, [], *counts)
        monkeypatch.setattr(trial_emails, "laaffic_client", lambda: None)
        monkeypatch.setattr(trial_emails.single_requests, "send", lambda entry, request: result)

        try:
            said = trial_emails.send_test(draft(mail_app), "ann@example.com")
        except trial_emails.TestUnknown as problem:
            said = str(problem)
            assert state == EntryState.UNKNOWN
        except trial_emails.TestFailed as problem:
            said = str(problem)
            assert state == EntryState.REFUSED

        assert says in said
        assert call_states() == [state]


class TwiceTests:
    def test_taken_back_or_cancelled_twice_changes_nothing_more(
        self, sandbox: RunningSandbox, mail_app: Application
    ) -> None:
        campaign = draft(mail_app)
        assert email_starting.take_back(campaign.pk).state == State.DRAFT

        email_starting.launch(campaign.pk)
        email_campaigns.cancel(campaign.pk)
        events = campaign.events.count()

        assert email_campaigns.cancel(campaign.pk).state == State.CANCELLED
        assert campaign.events.count() == events

    def test_a_worker_that_died_behind_the_answer_sends_nothing_again(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        campaign = launched(mail_app)
        _, entry = email_sending._claim(campaign.pk)
        assert ledger.depart(entry.pk)
        assert ledger.settle_accepted(entry.pk)  # and dies before the campaign says so

        run_jobs()

        assert fresh(campaign).state == State.RUNNING
        assert call_states() == [EntryState.ACCEPTED]
        assert emails_of(sandbox).tasks == {}

    def test_what_the_account_still_holds_does_not_go_on(self, sandbox: RunningSandbox, mail_app: Application) -> None:
        campaign = launched(mail_app)
        EmailCampaign.objects.update(state=State.HELD, is_held_by_account=True)
        account_hold.place(Refused(interface="x", entry=lookup(Family.EMAIL, "-1"), reason="", http_status=200))

        email_starting._follow(campaign.pk)

        assert fresh(campaign).state == State.HELD

    def test_a_finished_campaign_whose_mails_are_not_is_named(
        self, sandbox: RunningSandbox, mail_app: Application
    ) -> None:
        campaign = launched(mail_app)
        EmailMessage.objects.create(campaign=campaign, key="e1", delivery=Delivery.PENDING, told_at=timezone.now())
        EmailCampaign.objects.update(state=State.FINISHED)

        assert any("mails are not" in said for said in email_counting.prove(fresh(campaign))["disagreements"])


def test_a_list_that_is_empty_is_ticked_for(mail_app: Application) -> None:
    [check] = email_checks._list(draft(mail_app), EmailChoice(value="1001", detail={"count": 0}))

    assert "is empty" in check.sentence


def test_a_choice_that_could_not_be_asked_for_says_why() -> None:
    assert "cannot be reached (no route)" in email_choices._in_words(NotSent("no route", interface="x"))

"""An email campaign after a person's *send again*: what can still be done to it, and whose each answer is."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.dashboard.health import health_page
from laaffic_console.gateway.models import AccountHold, Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger, open_acts
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import Family, InvalidRequest, NotSent, Refused, lookup
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import EmailCampaign
from messaging.models import EmailCampaignState as State
from messaging.services.batches.failed_requests import Unfit
from messaging.services.email import callbacks as email_callbacks
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import counting as email_counting
from messaging.services.email import sending as email_sending
from messaging.services.email import starting as email_starting
from tests.messaging.conftest import events_saying
from tests.messaging.email.test_email_sending import TOKEN, call_states, emails_of, fresh, launched, tell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _hooks(settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    settings.CONSOLE_URL = "http://127.0.0.1:9"


@pytest.fixture
def mail_app(db: None) -> Application:
    return Application.objects.create(app_id="mailApp", channel="email")


@pytest.fixture
def again(sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]) -> EmailCampaign:
    """Its answer was lost, and somebody has it sent again: the repeat has not left."""
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
    campaign = launched(mail_app)
    run_jobs()
    assert fresh(campaign).state == State.UNKNOWN
    return email_campaigns.send_again(campaign.pk, reason="they have none")


def departed(campaign: EmailCampaign) -> LedgerEntry:
    """The repeat under way."""
    claimed = email_sending._claim(campaign.pk)
    assert claimed is not None
    assert ledger.depart(claimed[1].pk)
    return claimed[1]


class CancelTests:
    def test_a_repeat_that_has_not_left_can_be_cancelled(
        self, again: EmailCampaign, sandbox: RunningSandbox, admin_client: Client, run_jobs: Callable[[], int]
    ) -> None:
        page = reverse("admin:messaging_emailcampaign_change", args=[again.pk])
        assert 'id="do-cancel"' in admin_client.get(page).content.decode()

        admin_client.post(reverse("admin:messaging_emailcampaign_do", args=[again.pk, "cancel"]))
        run_jobs()

        assert fresh(again).state == State.CANCELLED
        assert call_states() == [EntryState.UNKNOWN]
        assert emails_of(sandbox).tasks == {}
        assert "the first request may have arrived" in again.events.latest("pk").text

    def test_one_that_has_left_cannot(self, again: EmailCampaign) -> None:
        departed(again)

        with pytest.raises(NotNow, match="left already"):
            email_campaigns.cancel(again.pk)

    def test_a_refused_repeat_can_be_cancelled_and_not_edited(
        self, again: EmailCampaign, sandbox: RunningSandbox, admin_client: Client, run_jobs: Callable[[], int]
    ) -> None:
        sandbox.set_faults(status="-16", status_calls=1)
        run_jobs()
        assert fresh(again).state == State.HELD

        page = admin_client.get(reverse("admin:messaging_emailcampaign_change", args=[again.pk])).content.decode()
        assert 'id="do-edit"' not in page
        assert 'id="do-cancel"' in page
        with pytest.raises(NotNow, match="first request may have arrived"):
            email_starting.edit_again(again.pk)
        assert email_campaigns.cancel(again.pk).state == State.CANCELLED

    def test_what_was_refused_the_first_time_is_edited(
        self, sandbox: RunningSandbox, mail_app: Application, admin_client: Client, run_jobs: Callable[[], int]
    ) -> None:
        sandbox.set_faults(status="-16", status_calls=1)
        campaign = launched(mail_app)
        run_jobs()

        page = admin_client.get(reverse("admin:messaging_emailcampaign_change", args=[campaign.pk])).content.decode()
        assert 'id="do-edit"' in page


class LateAnswerTests:
    def test_the_firsts_late_answer_is_its_own(self, again: EmailCampaign) -> None:
        first = LedgerEntry.objects.get()
        second = departed(again)

        email_sending.settle_accepted(again.pk, first.pk, "T1")
        assert call_states() == [EntryState.ACCEPTED, EntryState.IN_FLIGHT]
        email_sending.settle_accepted(again.pk, second.pk, "T2")

        assert call_states() == [EntryState.ACCEPTED, EntryState.ACCEPTED]
        campaign = fresh(again)
        assert (campaign.state, campaign.task_id) == (State.RUNNING, "T1")
        assert events_saying("second task, T2", campaign.events.all()).count() == 1

    def test_a_late_refusal_leaves_the_repeat_as_it_is(self, again: EmailCampaign) -> None:
        first = LedgerEntry.objects.get()
        departed(again)

        email_sending.settle_error(again.pk, first.pk, refusal("-16"))

        assert call_states() == [EntryState.REFUSED, EntryState.IN_FLIGHT]
        assert fresh(again).state == State.SENDING

    def test_a_late_answer_before_the_repeat_leaves_spares_it(
        self, again: EmailCampaign, sandbox: RunningSandbox, run_jobs: Callable[[], int]
    ) -> None:
        email_sending.settle_accepted(again.pk, LedgerEntry.objects.get().pk, "T1")
        run_jobs()

        assert call_states() == [EntryState.ACCEPTED]
        assert emails_of(sandbox).tasks == {}

    def test_each_task_of_the_callbacks_is_one_request(self, again: EmailCampaign) -> None:
        departed(again)
        tell(again, taskId="T1")
        tell(again, taskId="T1", emailId="e2")
        email_callbacks.INBOX.apply_some()
        assert call_states() == [EntryState.ACCEPTED, EntryState.IN_FLIGHT]

        tell(again, taskId="T2", emailId="e3")
        email_callbacks.INBOX.apply_some()

        assert call_states() == [EntryState.ACCEPTED, EntryState.ACCEPTED]
        assert email_counting.counts(again)["total"] == 3

    def test_a_callback_without_a_task_is_no_second_request(self, again: EmailCampaign) -> None:
        """Whichever of the two comes first: they may speak of the same one."""
        departed(again)
        for given in ({"taskId": ""}, {"taskId": "T1"}, {"taskId": "", "emailId": "e2"}):
            tell(again, **given)
            email_callbacks.INBOX.apply_some()

        assert call_states() == [EntryState.ACCEPTED, EntryState.IN_FLIGHT]

        tell(again, taskId="T2", emailId="e3")
        email_callbacks.INBOX.apply_some()

        assert call_states() == [EntryState.ACCEPTED, EntryState.ACCEPTED]

    @pytest.fixture
    def proved(self, again: EmailCampaign) -> EmailCampaign:
        """Two answers were lost, and the third request was refused as a duplicate."""
        second = departed(again)
        ledger.lose(ledger.only(second.pk), "its worker stood still")
        EmailCampaign.objects.update(state=State.UNKNOWN)
        email_campaigns.send_again(again.pk, reason="they have none")
        email_sending.settle_error(again.pk, departed(again).pk, refusal("-2"))
        assert call_states() == [EntryState.UNKNOWN, EntryState.ACCEPTED, EntryState.REFUSED]
        return again

    def test_one_that_a_duplicate_has_proved_is_the_one_that_a_callback_names(self, proved: EmailCampaign) -> None:
        """One task is no proof of both."""
        for email_id in ("e1", "e2"):
            tell(proved, taskId="T1", emailId=email_id)
            email_callbacks.INBOX.apply_some()
        assert call_states() == [EntryState.UNKNOWN, EntryState.ACCEPTED, EntryState.REFUSED]
        tell(proved, taskId="T2", emailId="e3")
        email_callbacks.INBOX.apply_some()

        assert call_states() == [EntryState.ACCEPTED, EntryState.ACCEPTED, EntryState.REFUSED]

    def test_the_firsts_late_answer_explains_the_duplicate(self, proved: EmailCampaign) -> None:
        first = LedgerEntry.objects.earliest("pk")

        email_sending.settle_accepted(proved.pk, first.pk, "T1")

        assert call_states() == [EntryState.ACCEPTED, EntryState.UNKNOWN, EntryState.REFUSED]

    @pytest.mark.parametrize("called_back", ["T2", ""])
    @pytest.mark.parametrize("answered", ["T2", ""])
    def test_what_may_have_been_another_requests_proves_nothing(
        self, again: EmailCampaign, called_back: str, answered: str
    ) -> None:
        second = departed(again)
        tell(again, taskId=called_back)
        email_callbacks.INBOX.apply_some()

        email_sending.settle_accepted(again.pk, second.pk, answered)

        assert call_states() == [EntryState.UNKNOWN, EntryState.ACCEPTED]

    @pytest.mark.parametrize("task", ["T2", "T" * 400], ids=["short", "longer than an entry keeps"])
    def test_an_answer_names_whose_task_it_was(self, again: EmailCampaign, task: str) -> None:
        second = departed(again)
        tell(again, taskId=task)
        email_callbacks.INBOX.apply_some()

        email_sending.settle_accepted(again.pk, second.pk, task)

        assert call_states() == [EntryState.UNKNOWN, EntryState.ACCEPTED]
        assert fresh(again).state == State.RUNNING


class ErrorAfterTheEndTests:
    """What has arrived, or was given up, is neither held nor sent again by an error that comes after it."""

    @pytest.mark.parametrize("code", ["-2", "-10", "-28"])
    def test_what_a_callback_has_settled_is_not_held(
        self, again: EmailCampaign, sandbox: RunningSandbox, run_jobs: Callable[[], int], code: str
    ) -> None:
        second = departed(again)
        tell(again, taskId="T1")
        email_callbacks.INBOX.apply_some()

        email_sending.settle_error(again.pk, second.pk, refusal(code))
        AccountHold.objects.update(released_at=timezone.now())
        email_starting.follow_account()
        run_jobs()

        assert fresh(again).state == State.RUNNING
        assert call_states() == [EntryState.ACCEPTED, EntryState.REFUSED]
        assert emails_of(sandbox).tasks == {}

    def test_what_was_written_off_stays_so(
        self, again: EmailCampaign, sandbox: RunningSandbox, run_jobs: Callable[[], int]
    ) -> None:
        second = departed(again)
        ledger.lose(ledger.only(second.pk), "its worker stood still")
        EmailCampaign.objects.update(state=State.UNKNOWN)
        email_campaigns.write_off(again.pk, reason="too late for it")

        email_sending.settle_error(again.pk, second.pk, refusal("-10"))
        AccountHold.objects.update(released_at=timezone.now())
        email_starting.follow_account()
        run_jobs()

        assert fresh(again).state == State.CANCELLED
        assert emails_of(sandbox).tasks == {}

    def test_what_was_written_off_stays_so_where_another_went_to_the_same_list(self, again: EmailCampaign) -> None:
        second = departed(again)
        ledger.lose(ledger.only(second.pk), "its worker stood still")
        EmailCampaign.objects.update(state=State.UNKNOWN)
        email_campaigns.write_off(again.pk, reason="too late for it")
        other = EmailCampaign.objects.create(application=again.application, receiver_id=again.receiver_id)
        LedgerEntry.objects.create(
            interface=second.interface,
            application=again.application,
            about_kind=second.about_kind,
            about_id=other.pk,
            state=EntryState.ACCEPTED,
            prepared_at=second.prepared_at,
        )

        email_sending.settle_error(again.pk, second.pk, refusal("-2"))

        assert fresh(again).state == State.CANCELLED

    def test_a_repeat_that_cannot_be_made_says_nothing_of_the_first(self, again: EmailCampaign) -> None:
        second = departed(again)

        email_sending.settle_error(again.pk, second.pk, Unfit(InvalidRequest("sender", "is empty")))

        assert fresh(again).state == State.HELD
        assert "The first one may have arrived all the same." in fresh(again).hold_reason

    def test_what_is_too_late_by_then_asks_a_person(self, sandbox: RunningSandbox, mail_app: Application) -> None:
        campaign = launched(mail_app)
        EmailCampaign.objects.update(
            state=State.HELD, is_held_by_account=True, scheduled_at=timezone.now() - dt.timedelta(days=2)
        )

        email_starting.follow_account()

        assert fresh(campaign).state == State.HELD
        assert "minutes past its time" in fresh(campaign).hold_reason

    @pytest.mark.parametrize("began", ["its hours", "the hold"])
    def test_one_that_a_hold_met_after_its_time_goes_on(
        self, sandbox: RunningSandbox, mail_app: Application, began: str
    ) -> None:
        """It waited for its hours, or a person has sent it late: the hold itself made it a minute late."""
        now = timezone.now()
        times = {"the hold": now - dt.timedelta(days=3), "its hours": now - dt.timedelta(days=4)}
        times[began] = now - dt.timedelta(minutes=1)
        AccountHold.objects.create(scope="account", placed_at=times["the hold"], released_at=now, probe_wait=15)
        campaign = launched(mail_app)
        EmailCampaign.objects.update(
            state=State.HELD,
            is_held_by_account=True,
            scheduled_at=now - dt.timedelta(days=3),
            not_before=times["its hours"],
        )

        email_starting.follow_account()

        assert fresh(campaign).state == State.SENDING

    def test_one_whose_time_came_in_an_earlier_hold_that_overlapped_asks(
        self, sandbox: RunningSandbox, mail_app: Application
    ) -> None:
        now = timezone.now()
        for days, minutes, of in ((4, 0, None), (0, 2, mail_app)):
            began = now - dt.timedelta(days=days, minutes=minutes)
            AccountHold.objects.create(scope=str(of), application=of, placed_at=began, released_at=now, probe_wait=15)
        campaign = launched(mail_app)
        EmailCampaign.objects.update(state=State.HELD, is_held_by_account=True, scheduled_at=now - dt.timedelta(days=2))

        email_starting.follow_account()

        assert "minutes past its time" in fresh(campaign).hold_reason

    def test_a_certain_no_after_it_was_given_up_is_tried_again(
        self, sandbox: RunningSandbox, mail_app: Application, run_jobs: Callable[[], int]
    ) -> None:
        campaign = launched(mail_app)
        first = departed(campaign)
        assert email_sending._claim(campaign.pk) is None
        assert fresh(campaign).state == State.UNKNOWN

        email_sending.settle_error(campaign.pk, first.pk, NotSent("it stood still", interface=""))
        assert fresh(campaign).state == State.SENDING
        EmailCampaign.objects.update(not_before=None)
        email_campaigns.sweep()
        run_jobs()

        assert call_states() == [EntryState.NOT_SENT, EntryState.ACCEPTED]
        assert fresh(campaign).state == State.RUNNING

    def test_a_certain_no_to_a_repeat_leaves_the_first_unknown(self, again: EmailCampaign) -> None:
        second = departed(again)
        assert email_sending._claim(again.pk) is None

        email_sending.settle_error(again.pk, second.pk, NotSent("it stood still", interface=""))

        assert fresh(again).state == State.UNKNOWN
        assert call_states() == [EntryState.UNKNOWN, EntryState.NOT_SENT]


def refusal(code: str) -> Refused:
    return Refused(interface="email/batchSendEmail", entry=lookup(Family.EMAIL, code), reason="no", http_status=200)


@pytest.mark.parametrize("has_left", [True, False])
def test_a_repeat_whose_worker_died_while_the_first_arrived_ends(again: EmailCampaign, has_left: bool) -> None:
    """Nobody asks for it again, so nobody else would give it up."""
    claimed = email_sending._claim(again.pk)
    assert claimed is not None
    if has_left:
        ledger.depart(claimed[1].pk)
    tell(again, taskId="T1")
    email_callbacks.INBOX.apply_some()
    long_ago = timezone.now() - open_acts.WITHIN
    LedgerEntry.objects.update(prepared_at=long_ago)
    LedgerEntry.objects.exclude(left_at=None).update(left_at=long_ago)

    email_campaigns.sweep()

    assert call_states() == [EntryState.ACCEPTED, EntryState.LAPSED if has_left else EntryState.NOT_SENT]
    assert fresh(again).state == State.RUNNING


def test_what_went_on_without_its_first_request_does_not_warn_for_ever(
    again: EmailCampaign, run_jobs: Callable[[], int]
) -> None:
    run_jobs()
    email_campaigns.sweep()
    assert call_states() == [EntryState.UNKNOWN, EntryState.ACCEPTED]

    LedgerEntry.objects.update(prepared_at=timezone.now() - open_acts.WITHIN)
    email_campaigns.sweep()

    assert call_states() == [EntryState.LAPSED, EntryState.ACCEPTED]
    assert health_page.unknown_calls().tone == "good"

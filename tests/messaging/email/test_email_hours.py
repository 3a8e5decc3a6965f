"""An email campaign leaves within its application's calendar, and not after its latest end."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.work import moments
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import ApplicationCalendar, Calendar, EmailCampaign, EmailCampaignState
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import sending as email_sending
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from tests.messaging.email.test_admin_email import TOKEN, draft, mail_app, own_page  # noqa: F401 - fixtures
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture(autouse=True)
def _hooks(settings: Any) -> None:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    settings.CONSOLE_URL = "http://127.0.0.1:9"


@pytest.fixture
def closed(mail_app: Application) -> Calendar:  # noqa: F811
    """Open on no day but the one after tomorrow."""
    day = DAYS[(timezone.localdate() + dt.timedelta(days=2)).weekday()]
    calendar = Calendar.objects.create(name="Mails", hours=f"{day} 09:00-17:00")
    ApplicationCalendar.objects.create(application=mail_app, calendar=calendar)
    return calendar


def requests() -> int:
    return LedgerEntry.objects.filter(interface=email_states.INTERFACE).count()


def test_outside_it_waits_and_says_until_when(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
    admin_client: Client,
    run_jobs: Callable[[], int],
) -> None:
    assert "it waits, and leaves by itself" in admin_client.get(own_page(draft, "review")).content.decode()
    email_starting.launch(draft.pk)
    run_jobs()
    email_campaigns.sweep()
    run_jobs()

    draft.refresh_from_db()
    opens = timezone.localtime(draft.not_before)
    assert (draft.state, draft.waits_for_hours, requests()) == (EmailCampaignState.SENDING, True, 0)
    assert (opens.date() - timezone.localdate(), opens.hour) == (dt.timedelta(days=2), 9)
    assert "It leaves by itself at" in admin_client.get(own_page(draft, "change")).content.decode()


def test_a_calendar_that_is_changed_counts_at_once(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
) -> None:
    email_starting.launch(draft.pk)
    run_jobs()
    Calendar.objects.update(hours="mon-sun 00:00-24:00")

    email_campaigns.sweep()
    run_jobs()

    draft.refresh_from_db()
    assert (draft.state, draft.waits_for_hours, requests()) == (EmailCampaignState.RUNNING, False, 1)


def test_while_it_waits_it_can_be_taken_back(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
    admin_client: Client,
    run_jobs: Callable[[], int],
) -> None:
    email_starting.launch(draft.pk)
    run_jobs()

    admin_client.post(own_page(draft, "do", "take-back"))
    run_jobs()

    draft.refresh_from_db()
    assert (draft.state, draft.waits_for_hours, requests()) == (EmailCampaignState.DRAFT, False, 0)


def test_an_approver_sends_it_once_outside(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
    admin_client: Client,
    run_jobs: Callable[[], int],
) -> None:
    email_starting.launch(draft.pk)
    run_jobs()
    with pytest.raises(ValidationError, match="Say why"):
        email_starting.send_outside_hours(draft.pk, reason=" ", by=User.objects.get())

    admin_client.post(own_page(draft, "outside_hours"), {"reason": "a recall"})
    run_jobs()

    draft.refresh_from_db()
    assert (draft.state, requests()) == (EmailCampaignState.RUNNING, 1)
    assert draft.events.filter(text__contains="a recall").exists()


def test_past_its_latest_end_it_asks(
    sandbox: RunningSandbox,
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
) -> None:
    email_starting.launch(draft.pk, undo_seconds=60)
    past = timezone.now() - dt.timedelta(seconds=1)
    EmailCampaign.objects.update(undo_until=past, latest_end=past)

    email_campaigns.sweep()
    run_jobs()

    draft.refresh_from_db()
    assert (draft.state, requests()) == (EmailCampaignState.HELD, 0)
    email_starting.resume(draft.pk)
    run_jobs()
    assert requests() == 1


def test_what_waits_for_its_hours_asks_at_its_end(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
) -> None:
    email_starting.launch(draft.pk)
    run_jobs()
    EmailCampaign.objects.update(latest_end=timezone.now() - dt.timedelta(minutes=1))

    email_campaigns.sweep()

    draft.refresh_from_db()
    assert (draft.state, requests()) == (EmailCampaignState.HELD, 0)
    assert "It was not to send after" in draft.hold_reason


def test_what_is_under_way_at_its_end_is_left_alone(
    sandbox: RunningSandbox,
    draft: EmailCampaign,  # noqa: F811
) -> None:
    email_starting.launch(draft.pk)
    assert email_sending._claim(draft.pk) is not None
    EmailCampaign.objects.update(latest_end=timezone.now() - dt.timedelta(minutes=1))

    email_campaigns.sweep()

    assert EmailCampaign.objects.get().state == EmailCampaignState.SENDING


def test_what_would_begin_after_its_end_is_not_launched(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
) -> None:
    EmailCampaign.objects.update(latest_end=timezone.now() + dt.timedelta(hours=1))

    with pytest.raises(NotNow, match="begin after its latest end"):
        email_starting.launch(draft.pk)
    assert EmailCampaign.objects.get().state == EmailCampaignState.DRAFT


def test_resumed_after_another_stop_it_asks_about_its_end(
    sandbox: RunningSandbox,
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
) -> None:
    email_starting.launch(draft.pk, undo_seconds=60)
    email_states.hold(EmailCampaign.objects.get(), "A budget is used up.")
    EmailCampaign.objects.update(latest_end=timezone.now() - dt.timedelta(seconds=1))

    email_starting.resume(draft.pk)
    run_jobs()

    draft.refresh_from_db()
    assert (draft.state, requests()) == (EmailCampaignState.HELD, 0)
    assert "It was not to send after" in draft.hold_reason


def test_the_page_stops_what_would_begin_after_its_end(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
    admin_client: Client,
) -> None:
    EmailCampaign.objects.update(latest_end=timezone.now() + dt.timedelta(hours=1))
    review = own_page(draft, "review")

    refused = admin_client.post(review, hidden(admin_client, review)).content.decode()

    assert 'id="missing"' in refused
    assert EmailCampaign.objects.get().state == EmailCampaignState.DRAFT


def test_it_leaves_at_the_moment_at_which_its_hours_begin(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(moments.time, "sleep", slept.append)
    email_starting.launch(draft.pk)
    run_jobs()
    email_sending.send_at_its_moment(draft.pk)
    assert (slept, requests()) == ([], 0)
    Calendar.objects.update(hours="mon-sun 00:00-24:00")
    EmailCampaign.objects.update(not_before=timezone.now())
    by = timezone.now() + moments.AHEAD
    assert [pk for pk, _moment in email_starting.requests_due(by)] == [draft.pk]
    assert email_starting.MOMENT_JOB in moments._awaited

    email_sending.send_at_its_moment(draft.pk)

    draft.refresh_from_db()
    assert (draft.state, requests()) == (EmailCampaignState.RUNNING, 1)


def test_what_is_held_is_sent_outside_only_when_it_is_resumed(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
) -> None:
    email_starting.launch(draft.pk)
    EmailCampaign.objects.update(state=EmailCampaignState.HELD)

    email_starting.send_outside_hours(draft.pk, reason="a recall", by=None)
    run_jobs()

    draft.refresh_from_db()
    assert (draft.state, draft.outside_hours, requests()) == (EmailCampaignState.HELD, True, 0)


@pytest.mark.parametrize("back", [email_starting.take_back, email_starting.edit_again])
def test_an_approvers_word_is_over_with_the_launch_that_it_was_on(
    sandbox: RunningSandbox,
    closed: Calendar,
    draft: EmailCampaign,  # noqa: F811
    run_jobs: Callable[[], int],
    back: Callable[[int], EmailCampaign],
) -> None:
    email_starting.launch(draft.pk)
    EmailCampaign.objects.update(state=EmailCampaignState.HELD)
    email_starting.send_outside_hours(draft.pk, reason="a recall", by=None)
    EmailCampaign.objects.update(state=EmailCampaignState.SCHEDULED)

    assert not back(draft.pk).outside_hours
    email_starting.launch(draft.pk)
    run_jobs()

    draft.refresh_from_db()
    assert (draft.waits_for_hours, requests()) == (True, 0)

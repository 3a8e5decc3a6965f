"""A launch of an email campaign that can be taken back: its request is not made before its seconds are over."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import moments
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import EmailCampaign, EmailCampaignState
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import starting as email_starting
from messaging.services.email import states as email_states
from tests.messaging.email.test_admin_email import TOKEN, draft, mail_app, own_page  # noqa: F401 - fixtures
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _hooks(settings: Any) -> None:
    settings.LAAFFIC_PUSH_TOKENS = [TOKEN]
    settings.CONSOLE_URL = "http://127.0.0.1:9"


@pytest.fixture
def launched(sandbox: RunningSandbox, draft: EmailCampaign) -> EmailCampaign:  # noqa: F811
    return email_starting.launch(draft.pk, undo_seconds=30)


def its_seconds_are_over(campaign: EmailCampaign) -> None:
    past = timezone.now() - dt.timedelta(seconds=1)
    EmailCampaign.objects.filter(pk=campaign.pk).update(undo_until=past)


def test_nothing_is_asked_for_before_its_seconds_are_over(launched: EmailCampaign, run_jobs: Callable[[], int]) -> None:
    email_starting.start_launched(launched.pk)
    email_starting.start_scheduled(launched.pk)
    email_campaigns.sweep()
    run_jobs()

    launched.refresh_from_db()
    assert launched.state == EmailCampaignState.SCHEDULED
    assert not LedgerEntry.objects.filter(interface=email_states.INTERFACE).exists()


@pytest.mark.parametrize("hours", [-8, 8])
def test_the_databases_clock_says_when_they_are_over(
    sandbox: RunningSandbox,
    draft: EmailCampaign,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    hours: int,
) -> None:
    """A worker's own clock may be wrong."""
    off = dt.timedelta(hours=hours)
    monkeypatch.setattr(database_clock, "now", lambda: timezone.now() + off)
    launched = email_starting.launch(draft.pk, undo_seconds=30)
    email_starting.start_scheduled(launched.pk)
    email_campaigns.sweep()
    launched.refresh_from_db()
    assert launched.state == EmailCampaignState.SCHEDULED
    assert launched.undo_until
    assert abs(launched.undo_until - database_clock.now()) <= dt.timedelta(seconds=30)

    EmailCampaign.objects.update(undo_until=database_clock.now())
    email_campaigns.sweep()

    launched.refresh_from_db()
    assert launched.state == EmailCampaignState.SENDING


def test_it_starts_once_when_they_are_over(launched: EmailCampaign, run_jobs: Callable[[], int]) -> None:
    its_seconds_are_over(launched)

    email_starting.start_launched(launched.pk)
    email_campaigns.sweep()
    run_jobs()

    launched.refresh_from_db()
    assert (launched.state, launched.undo_until) == (EmailCampaignState.RUNNING, None)
    assert LedgerEntry.objects.filter(interface=email_states.INTERFACE).count() == 1


def test_the_sweeper_starts_what_nobody_has_rung_for(launched: EmailCampaign) -> None:
    its_seconds_are_over(launched)

    email_campaigns.sweep()

    launched.refresh_from_db()
    assert launched.state == EmailCampaignState.SENDING


def test_the_supervisor_rings_for_it(launched: EmailCampaign) -> None:
    soon = timezone.now() + dt.timedelta(seconds=31)

    assert email_starting.launches_due(soon) == [(launched.pk, launched.undo_until)]
    assert not email_starting.launches_due(timezone.now())
    assert email_starting.START_JOB in moments._awaited


def test_what_has_started_cannot_be_taken_back(launched: EmailCampaign) -> None:
    its_seconds_are_over(launched)
    email_starting.start_scheduled(launched.pk)

    with pytest.raises(NotNow, match="cannot be taken back"):
        email_starting.take_back(launched.pk)


def test_undo_leads_back_to_the_page_before_the_launch(
    sandbox: RunningSandbox,
    mail_app: Application,  # noqa: F811
    draft: EmailCampaign,  # noqa: F811
    admin_client: Client,
) -> None:
    review = own_page(draft, "review")
    shown = admin_client.post(review, {**hidden(admin_client, review), "undo": "60"}, follow=True).content.decode()
    assert 'id="undo"' in shown
    assert "Nothing has left yet." in shown
    assert 'id="do-cancel"' not in shown

    back = admin_client.post(own_page(draft, "do", "take-back"), follow=True)

    assert back.request["PATH_INFO"] == review
    assert "Taken back: nothing has left." in back.content.decode()
    draft.refresh_from_db()
    assert (draft.state, draft.undo_until) == (EmailCampaignState.DRAFT, None)

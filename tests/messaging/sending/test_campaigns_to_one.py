"""A campaign to one, as each message of a script is: a short way through the database, and no wait at its end."""

import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.laaffic import Code
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, BatchState, Campaign, CampaignState
from messaging.services.batches import failed_requests
from messaging.services.campaigns import drafts, starting
from messaging.services.sending import sending

pytestmark = pytest.mark.django_db(transaction=True)

AT_MOST = 56  # 44 as a rule, with the begin and commit of each transaction; it was 63


@pytest.fixture
def launched(sandbox: RunningSandbox, application: Application) -> Callable[..., Campaign]:
    """Frozen and running, as POST /messages leaves it; nobody has rung for it."""

    def launch(number: str) -> Campaign:
        with transaction.atomic():
            campaign = drafts.create(
                name="Code", application=application, sender_id="", text="123456", numbers=[number], is_noted=False
            )
            starting.launch_new(campaign, by=None)
        return campaign

    return launch


@pytest.fixture
def never_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    def slept(seconds: float) -> None:
        raise AssertionError(f"slept for {seconds} seconds")

    monkeypatch.setattr(time, "sleep", slept)


def sent(campaign: Campaign) -> Campaign:
    sending.send(campaign.pk)
    campaign.refresh_from_db()
    return campaign


def test_it_takes_a_bounded_number_of_statements(launched: Callable[..., Campaign]) -> None:
    sent(launched("+919876543210"))  # what is looked up for the first time only is there
    campaign = launched("+919876543211")

    with CaptureQueriesContext(connection) as statements:
        sending.send(campaign.pk)

    campaign.refresh_from_db()
    assert campaign.state == CampaignState.FINISHED
    asked = [one["sql"][:120] for one in statements if "synchronous_commit" not in one["sql"]]
    assert len(asked) <= AT_MOST, "\n".join(asked)


@pytest.mark.usefixtures("never_slept")
def test_it_is_over_with_its_answer(launched: Callable[..., Campaign]) -> None:
    campaign = sent(launched("+919876543210"))

    assert campaign.state == CampaignState.FINISHED
    assert campaign.finished_at is not None
    assert campaign.first_sent_at is not None
    assert campaign.events.filter(text__contains="Finished").count() == 1


def test_what_comes_back_is_claimed_again(
    launched: Callable[..., Campaign], sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody was claimed, and the gateway did not take it: it waits, and leaves once more."""
    monkeypatch.setattr(failed_requests, "FIRST_WAIT", 0.01)
    sandbox.set_faults(status=Code.TOO_OFTEN, status_calls=1, paths=["/sendSms"])
    campaign = sent(launched("+919876543210"))

    assert campaign.state == CampaignState.FINISHED
    assert sandbox.stats()["accepted"] == 1
    assert Batch.objects.get().attempt == 2


def test_a_lost_answer_leaves_it_running(launched: Callable[..., Campaign], sandbox: RunningSandbox) -> None:
    sandbox.set_faults(next_fault="reset_after", next_calls=1)
    campaign = sent(launched("+919876543210"))

    assert campaign.state == CampaignState.RUNNING
    assert Batch.objects.get().state == BatchState.UNKNOWN


def test_a_hold_of_the_account_stops_it_first(launched: Callable[..., Campaign], sandbox: RunningSandbox) -> None:
    campaign = launched("+919876543210")
    account_hold.place_because("No credentials.")

    assert sent(campaign).state == CampaignState.HELD
    assert sandbox.stats()["accepted"] == 0

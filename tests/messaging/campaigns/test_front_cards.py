"""The cards of the front page, on a console whose scripts send thousands of single messages."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from laaffic_console.gateway.models import Application
from messaging.front import front_cards
from messaging.models import Campaign, CampaignState
from tests.plans import plan

pytestmark = pytest.mark.django_db

CARDS = {
    "running": (front_cards.running, CampaignState.RUNNING),
    "recent": (front_cards.recent, CampaignState.FINISHED),
    "held": (front_cards.held, CampaignState.HELD),
}


@pytest.fixture
def request_() -> Any:
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("ann")
    return request


def made(application: Application, state: CampaignState, kind: str, *names: str) -> None:
    rows = [Campaign(name=name, kind=kind, state=state, application=application, text="Hi") for name in names]
    Campaign.objects.bulk_create(rows)


def shown(card: str, request: Any) -> list[str]:
    found = (CARDS[card][0](request) or {}).get(card, [])
    return [str(one["campaign"] if isinstance(one, dict) else one) for one in found]


@pytest.mark.parametrize("card", CARDS)
def test_a_campaign_is_shown_however_many_single_messages_came_later(
    application: Application, request_: Any, card: str
) -> None:
    made(application, CARDS[card][1], Campaign.Kind.CAMPAIGN, "Autumn")
    made(application, CARDS[card][1], Campaign.Kind.QUICK, *(f"API {n}" for n in range(10)))
    made(application, CARDS[card][1], Campaign.Kind.TEST, "Test")

    assert shown(card, request_)[0] == "Autumn"
    assert len(shown(card, request_)) == (front_cards.SHOWN if card == "held" else 1)


def test_running_and_paused_are_in_one_order(application: Application, request_: Any) -> None:
    for n, state in enumerate([CampaignState.PAUSED, CampaignState.RUNNING, CampaignState.PAUSED]):
        made(application, state, Campaign.Kind.CAMPAIGN, f"C{n}")

    assert shown("running", request_) == ["C2", "C1", "C0"]


@pytest.mark.parametrize("card", CARDS)
def test_no_single_message_and_no_older_campaign_is_read_for_it(
    application: Application, request_: Any, card: str
) -> None:
    made(application, CARDS[card][1], Campaign.Kind.CAMPAIGN, *(f"C{n}" for n in range(9)))
    with CaptureQueriesContext(connection) as captured:
        CARDS[card][0](request_)

    plans = [plan(one["sql"]) for one in captured if 'FROM "messaging_campaign"' in one["sql"]]

    assert plans
    assert all("campaign_not_single" in said and "TEMP B-TREE" not in said and "Sort" not in said for said in plans)

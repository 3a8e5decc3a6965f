"""The list of campaigns: what it says of each, what one press does, and that a long page asks no more than a short."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.kit.words import dates
from messaging.admin.campaigns import campaign_list
from messaging.admin.shared.clocks import at_its_moment
from messaging.models import Batch, BatchState, Campaign, CampaignState, MessageState, OutcomeTally, Reply

pytestmark = pytest.mark.django_db

LIST = "/admin/messaging/campaign/"


def campaign(application: Application, name: str, *, delivered: int = 0, failed: int = 0, **fields: Any) -> Campaign:
    given: dict[str, Any] = {"state": CampaignState.FINISHED, "audience": Campaign.Audience.FROZEN, "total": 40}
    made = Campaign.objects.create(name=name, application=application, text="Hi", **(given | fields))
    counts = {"delivered": delivered, "undelivered": failed, "queued": made.total - delivered - failed}
    state = BatchState.QUEUED if counts["queued"] else BatchState.SETTLED
    Batch.objects.create(campaign=made, size=made.total, first_message_id=1, last_message_id=40, state=state, **counts)
    for currency, micros in (("USD", 1_250_000), ("EUR", 500_000)) if delivered else ():
        of = {"country": "IN", "state": MessageState.DELIVERED, "reason": "", "currency": currency}
        OutcomeTally.objects.create(campaign=made, messages=delivered, pay_micros=micros, **of)
    return made


def reply(to: Campaign) -> None:
    now = timezone.now()
    Reply.objects.create(campaign=to, number="919876500001", content="Yes", at=now, received_at=now, key="r1")


@pytest.fixture
def staff(client: Client) -> Client:
    return sign_in(client, "view_campaign", "launch_campaign")


def sign_in(client: Client, *permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def cell(page: str, of: Campaign, what: str) -> str:
    found = re.search(rf'<span id="campaign-{of.pk}-{what}"[^>]*>(.*?)</span>\s*</t[dh]>', page, re.DOTALL)
    assert found is not None, what
    return " ".join(re.sub(r"<[^>]*>", " ", found[1]).split())


class FigureTests:
    def test_each_row_says_what_became_of_it(self, staff: Client, application: Application) -> None:
        over = campaign(application, "Over", delivered=30, failed=10)
        reply(over)

        page = staff.get(LIST).content.decode()

        said = {what: cell(page, over, what) for what in ("delivered", "failed", "cost", "replies")}
        assert said == {"delivered": "75.0%", "failed": "10", "cost": "0.50 EUR 1.25 USD", "replies": "1"}
        assert cell(page, over, "progress").endswith(" 40")

    def test_a_running_one_says_how_far_and_how_fast(self, staff: Client, application: Application) -> None:
        running = campaign(application, "Runs", delivered=10, state=CampaignState.RUNNING)

        page = staff.get(LIST).content.decode()

        assert cell(page, running, "progress").endswith(" 40 · 25%")
        assert 'hx-select="#campaigns-live, .c-live"' in page

    def test_a_list_at_rest_asks_no_more(self, staff: Client, application: Application) -> None:
        campaign(application, "Over", delivered=40)

        page = staff.get(LIST).content.decode()

        assert 'id="campaigns-live"' in page
        assert 'hx-select="#campaigns-live' not in page

    @pytest.mark.parametrize(("figure", "first"), [("delivered", "Worst"), ("failed", "Best"), ("replies", "Best")])
    def test_it_is_sorted_by_figures(self, staff: Client, application: Application, figure: str, first: str) -> None:
        worst = campaign(application, "Worst", delivered=10, failed=30)
        campaign(application, "Best", delivered=39, failed=1)
        reply(worst)
        column = campaign_list.COLUMNS.index(f"shown_{figure}") + 1

        ascending = staff.get(LIST, {"o": column}).context["cl"].result_list
        descending = staff.get(LIST, {"o": -column}).context["cl"].result_list

        assert ascending[0].name == first != descending[0].name

    def test_a_long_page_asks_no_more_than_a_short_one(self, staff: Client, application: Application) -> None:
        campaign(application, "First", delivered=1, state=CampaignState.RUNNING, first_sent_at=timezone.now())
        staff.get(LIST)
        with CaptureQueriesContext(connection) as few:
            staff.get(LIST)
        for n in range(20):
            campaign(application, f"N{n}", delivered=1, state=CampaignState.RUNNING, first_sent_at=timezone.now())
        with CaptureQueriesContext(connection) as many:
            staff.get(LIST)

        assert len(many) == len(few)


class ActTests:
    @pytest.mark.parametrize(
        ("state", "verb"),
        [
            (CampaignState.RUNNING, "pause"),
            (CampaignState.PAUSED, "resume"),
            (CampaignState.HELD, "resume"),
            (CampaignState.SCHEDULED, "take-back"),
            (CampaignState.FINISHED, None),
            (CampaignState.DRAFT, None),
        ],
    )
    def test_a_row_offers_what_its_state_allows(
        self, staff: Client, application: Application, state: str, verb: str | None
    ) -> None:
        made = campaign(application, "One", state=state)

        found = re.findall(rf"/messaging/campaign/{made.pk}/do/([a-z-]+)/", staff.get(LIST).content.decode())

        assert found == ([verb] if verb else [])

    def test_one_press_acts_and_comes_back_to_the_same_list(self, staff: Client, application: Application) -> None:
        made = campaign(application, "One", state=CampaignState.RUNNING)
        here = f"{LIST}?state__exact=running"
        page = staff.get(here).content.decode()
        found = re.search(rf'href="([^"]*/{made.pk}/do/pause/[^"]*)"', page)
        assert found is not None

        answer = staff.post(found[1].replace("&amp;", "&"))

        assert answer["Location"] == here
        made.refresh_from_db()
        assert made.state == CampaignState.PAUSED

    def test_it_leads_nowhere_else(self, staff: Client, application: Application) -> None:
        made = campaign(application, "One", state=CampaignState.RUNNING)

        answer = staff.post(f"/admin/messaging/campaign/{made.pk}/do/pause/?next=https://example.com/")

        assert answer["Location"] == f"/admin/messaging/campaign/{made.pk}/change/"

    def test_who_may_only_look_is_offered_nothing(self, client: Client, application: Application) -> None:
        campaign(application, "One", state=CampaignState.RUNNING)

        page = sign_in(client, "view_campaign").get(LIST).content.decode()

        assert "/do/pause/" not in page


def test_what_waits_for_its_moment_says_which_and_by_which_clock(application: Application, staff: Client) -> None:
    at = dt.datetime(2031, 5, 1, 9, tzinfo=dt.UTC)
    campaign(application, "spring", state=CampaignState.SCHEDULED, scheduled_at=at)

    with timezone.override("Asia/Kolkata"):
        assert dates.planned(at) == "1 May 2031, 14:30 (Asia/Kolkata)"
    assert f"starts at {dates.planned(at)}" in staff.get(LIST).content.decode()


def test_a_button_says_its_moment_only_while_it_is_ahead() -> None:
    later = timezone.now() + dt.timedelta(days=1)

    assert at_its_moment("Send 3 messages", later) == f"Send 3 messages at {dates.planned(later)}"
    assert at_its_moment("Send 3 messages", timezone.now()) == "Send 3 messages"
    assert at_its_moment("Send 3 messages", None) == "Send 3 messages"


@pytest.mark.parametrize(
    ("state", "counts", "moves"),
    [
        ("running", {}, True),
        ("paused", {"queued": 40}, False),
        ("paused", {"accepted": 1}, True),
        ("cancelled", {"queued": 40}, True),
        ("cancelled", {"cancelled": 40}, False),
        ("finished", {"unknown": 1}, True),
        ("finished", {"delivered": 40}, False),
    ],
)
def test_the_list_is_drawn_again_while_a_row_moves(
    application: Application, staff: Client, state: str, counts: dict[str, int], moves: bool
) -> None:
    made = campaign(application, "A", state=state)
    Batch.objects.update(**{"queued": 0, **counts})

    assert made.state == state
    assert ("every 3s" in staff.get(LIST).content.decode()) is moves

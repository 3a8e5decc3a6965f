"""Money and shares as every page writes them."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

import laaffic_console
from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.kit.words.figures import money, pace, share
from messaging.models import Batch, Campaign, CampaignState, Message, MessageState, OutcomeTally
from messaging.services.figures import insights, timeline
from messaging.services.tallies import counting


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        *(("133.5905", "133.59 USD"), ("2.015", "2.02 USD"), ("2.0149", "2.01 USD"), ("12480", "12,480.00 USD")),
        *(("0.0031", "0.0031 USD"), ("0.00314", "0.0031 USD"), ("0.008", "0.008 USD"), ("0.5", "0.50 USD")),
        *(("0.125", "0.13 USD"), ("0.000001", "0.000001 USD"), ("0.0999", "0.10 USD"), ("0.999", "1.00 USD")),
        *(("0", "0.00 USD"), ("-2.015", "-2.02 USD"), ("-0.004", "-0.004 USD"), ("1e3", "1,000.00 USD")),
    ],
)
def test_an_amount_is_rounded_once(amount: str, shown: str) -> None:
    assert money(Decimal(amount), "USD") == shown


@pytest.mark.parametrize(
    ("much", "shown"),
    [(0, "0"), (0.0, "0"), (0.0004, "0.0004"), (0.004, "0.004"), (0.0049, "0.005"), (0.04, "0.04"), (0.26, "0.26"),
     (4.53, "4.5"), (12.6, "13"), (1250, "1,250")],
)  # fmt: skip
def test_what_is_little_is_not_nothing(much: float, shown: str) -> None:
    assert pace(much) == shown


def test_pages_write_figures_by_the_filters_that_never_say_nothing_of_something() -> None:
    root = Path(laaffic_console.__file__).parents[1]
    pages = [
        page for app in ("laaffic_console", "messaging", "voice", "numbers") for page in (root / app).rglob("*.html")
    ]

    assert len(pages) > 100
    assert [page.name for page in pages if "floatformat" in page.read_text()] == []


def test_the_english_help_writes_shares_as_pages_do() -> None:
    docs = Path(laaffic_console.__file__).parents[1] / "docs"
    pages = [*docs.glob("*.md"), *docs.glob("mechanisms/*.md")]

    assert len(pages) > 20
    assert [page.name for page in pages if re.search(r"\d %", page.read_text())] == []


def test_without_a_currency_it_is_a_number() -> None:
    assert money(Decimal("5.1")) == "5.10"


@pytest.mark.parametrize(
    ("part", "whole", "shown"), [(2999, 3000, 99.9), (1, 3, 33.3), (3, 3, 100.0), (0, 0, 0.0), (99999, 100000, 99.9)]
)
def test_a_share_is_rounded_down(part: int, whole: int, shown: float) -> None:
    assert share(part, whole) == shown


@pytest.fixture
def charged(application: Application) -> Campaign:
    """5,000 recipients of a campaign that is over, of which 227 reports have not come."""
    campaign = Campaign.objects.create(
        name="Autumn", application=application, text="Hello", total=5000, state="finished", audience="frozen"
    )
    counts = {"accepted": 227, "delivered": 4773}
    Batch.objects.create(
        campaign=campaign, first_message_id=1, last_message_id=5000, size=5000, state="settled", **counts
    )
    OutcomeTally.objects.create(
        campaign=campaign, country="IN", state=70, currency="USD", messages=4773, pay_micros=133_590_500
    )
    return campaign


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def text_of(client: Client, campaign: Campaign) -> str:
    return client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()


@pytest.mark.django_db
class CampaignFigureTests:
    def test_a_finished_one_says_how_many_reports_are_awaited(self, page: Client, charged: Campaign) -> None:
        shown = text_of(page, charged)

        assert "227 delivery reports are still awaited." in shown
        assert "133.59 <small>USD" in shown

    def test_a_cancelled_one_is_done_as_far_as_it_went(self, page: Client, charged: Campaign) -> None:
        charged.batches.update(accepted=0, delivered=1999, cancelled=3001)
        charged.state = CampaignState.CANCELLED
        charged.save()

        shown = text_of(page, charged)

        assert counting.progress(charged)["percent"] == 39
        assert 'id="percent">39%</span>' in shown
        assert "before it was cancelled" in shown

    def test_while_recipients_are_counted_it_says_how_many_are_done(self, page: Client, charged: Campaign) -> None:
        """A share would fall with each recipient that is found."""
        charged.batches.update(accepted=0, delivered=1500, queued=3000, unknown=500)
        Campaign.objects.filter(pk=charged.pk).update(state="running", audience="freezing", total=5000)

        assert 'id="percent">1,500</span>' in text_of(page, charged)

    def test_what_is_unknown_is_not_done(self, charged: Campaign) -> None:
        charged.batches.update(accepted=0, delivered=1500, unknown=3500)

        assert counting.progress(charged)["percent"] == 30

    @pytest.mark.parametrize("state", ["scheduled", "held", "paused", "cancelled"])
    def test_one_whose_recipients_are_not_known_names_no_share(
        self, page: Client, charged: Campaign, state: str
    ) -> None:
        charged.batches.all().delete()
        Campaign.objects.filter(pk=charged.pk).update(total=0, state=state, audience="open")

        shown = text_of(page, charged)

        assert "of 0 recipients" not in shown
        assert 'id="percent"' not in shown

    def test_one_that_has_just_begun_says_that_it_counts(self, page: Client, charged: Campaign) -> None:
        charged.batches.all().delete()
        Campaign.objects.filter(pk=charged.pk).update(total=0, state="running", audience="open")

        shown = text_of(page, charged)

        assert "the recipients are still being counted" in shown
        assert "of 0 recipients" not in shown

    def test_one_that_nobody_got_still_says_so(self, charged: Campaign) -> None:
        charged.batches.all().delete()
        charged.total = 0

        assert counting.progress(charged)["is_counted"]

    @pytest.mark.parametrize("queued", [1, 49])
    def test_a_running_one_is_never_done_before_it_is(self, charged: Campaign, queued: int) -> None:
        charged.batches.update(queued=queued, delivered=4773 - queued)
        charged.state = CampaignState.RUNNING

        assert counting.progress(charged)["percent"] == 99


@pytest.mark.django_db
def test_every_page_has_one_figure(charged: Campaign) -> None:
    message = charged.messages.model(campaign=charged, pay_micros=133_590_500, currency="USD")
    with translation.override("en"):
        said = insights.spending(charged, counting.state_counts(charged))[0]

    assert f"{said['paid']} {said['currency']}" == timeline.cost_of(message) == "133.59 USD"


def test_a_message_whose_answer_is_awaited_says_what_is_known(application: Application) -> None:
    at = timezone.now()
    campaign = Campaign.objects.create(name="Autumn", application=application, text="Hello", launched_at=at)
    request = LedgerEntry.objects.create(interface="sendSms", about_kind="campaign", prepared_at=at, left_at=at)
    batch = Batch.objects.create(campaign=campaign, first_message_id=1, last_message_id=1, size=1, entry=request)
    message = Message.objects.create(
        campaign=campaign,
        batch=batch,
        number="919876500000",
        state=MessageState.UNKNOWN,
        evidence="timeout",
        settled_at=at,
    )

    told = {(entry.says, entry.source) for entry in timeline.of(message)}

    assert {("The request left for the gateway", "sendSms"), (str(MessageState.UNKNOWN.label), "timeout")} <= told
    assert not [says for says, _source in told if says.startswith("Answered")]


@pytest.mark.parametrize(
    ("state", "reason", "says"),
    [
        (EntryState.ACCEPTED, "success", "Answered: Accepted"),
        (EntryState.REFUSED, "no money", "Answered: Refused (no money)"),
    ],
)
def test_an_answer_is_said_with_why_it_was_a_refusal(
    application: Application, state: str, reason: str, says: str
) -> None:
    at = timezone.now()
    campaign = Campaign.objects.create(name="Autumn", application=application, text="Hello", launched_at=at)
    request = LedgerEntry.objects.create(
        interface="sendSms",
        about_kind="campaign",
        prepared_at=at,
        left_at=at,
        settled_at=at,
        state=state,
        reason=reason,
    )
    batch = Batch.objects.create(campaign=campaign, first_message_id=1, last_message_id=1, size=1, entry=request)
    message = Message.objects.create(campaign=campaign, batch=batch, number="919876500000")

    with translation.override("en"):
        assert says in [entry.says for entry in timeline.of(message)]

"""The few first: never more than were chosen leave before the decision, and it is never made on fewer reports."""

import datetime as dt
import json
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    Canary,
    CanaryMessage,
    Contact,
    ContactGroup,
    GroupMembership,
    Message,
    MessageState,
    OutcomeTally,
)
from messaging.services.audience import audience
from messaging.services.batches import claiming, waiting
from messaging.services.campaigns import (
    campaigns,
    canaries,
    canary_figures,
    canary_sizes,
    drafts,
    follow_ups,
    starting,
    states,
)
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import campaign_report
from messaging.services.gates import canary as gate
from messaging.services.refusals import FewFirstFailed
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts, events_saying

pytestmark = pytest.mark.django_db

COUNTRIES = {"IN": 60, "BD": 30, "DE": 10}
NOON = dt.datetime(2026, 11, 26, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _keys(settings: LazySettings) -> Iterator[None]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    yield
    account.laaffic_client.cache_clear()


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(bell, "ring", lambda job, *args, **given: found.append(job))
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.timedelta], None]:
    """The database's clock, moved by hand."""
    shown = [NOON]
    monkeypatch.setattr(database_clock, "now", lambda: shown[0])
    monkeypatch.setattr(database_clock, "in_statement", lambda: shown[0])

    def later(passed: dt.timedelta) -> None:
        shown[0] += passed

    return later


@pytest.fixture
def start(application: Application, group: ContactGroup, rung: list[str]) -> Callable[..., Campaign]:
    """A campaign to a hundred people in three countries, its audience frozen in batches of several countries."""
    numbers = [
        Contact(number=str(919876500000 + n), country=country)
        for n, country in enumerate(country for country, many in COUNTRIES.items() for _ in range(many))
    ]
    made = Contact.objects.bulk_create(numbers)
    GroupMembership.objects.bulk_create(GroupMembership(contact=contact, group=group) for contact in made)

    def started(**given: object) -> Campaign:
        campaign = drafts.create(
            name="Autumn", application=application, sender_id="", text="Hello", groups=[group], **given
        )
        starting.launch(campaign.pk, by=None)
        campaign.refresh_from_db()
        audience.CHUNK = 35
        while audience.freeze_chunk(campaign.pk):
            pass
        campaign.refresh_from_db()
        return campaign

    chunk = audience.CHUNK
    yield started
    audience.CHUNK = chunk


def claimed_of(campaign: Campaign) -> list[int]:
    """Message ids of one claim after the other, until there is none."""
    found: list[int] = []
    while isinstance(claim := claiming.claim(campaign, "token"), Claim):
        found += claim.message_ids
    return found


def told(ids: list[int], delivered: int, undelivered: int) -> None:
    """As if these had left and been reported on: batches and messages say so."""
    for place, pk in enumerate(ids):
        word = "delivered" if place < delivered else "undelivered" if place < delivered + undelivered else "accepted"
        message = Message.objects.get(pk=pk)
        batch = Batch.objects.get(pk=message.batch_id)
        setattr(batch, word, getattr(batch, word) + 1)
        batch.queued -= 1
        batch.state = BatchState.SETTLED
        batch.save()
        Message.objects.filter(pk=pk).update(state=Message.State[word.upper()])


class SizeTests:
    @pytest.mark.parametrize(
        ("text", "recipients", "size"),
        [("100", 1000, 100), ("5%", 1000, 50), ("5 %", 10, 1), ("100", 40, 40), ("1%", 0, 0)],
    )
    def test_of_an_audience(self, text: str, recipients: int, size: int) -> None:
        assert canary_sizes.size(text, recipients) == size

    @pytest.mark.parametrize("text", ["0", "0%", "100%", "many", "-5", "5%%", "9999999", "1.5"])
    def test_what_is_none_is_refused(self, text: str, application: Application, group: ContactGroup) -> None:
        with pytest.raises(ValidationError) as problem:
            drafts.create(name="A", application=application, sender_id="", text="H", groups=[group], canary=text)
        assert "canary" in problem.value.message_dict

    @given(st.integers(1, 500), st.dictionaries(st.text(max_size=2), st.integers(1, 200), min_size=1, max_size=8))
    def test_it_is_spread_exactly_and_in_proportion(self, wanted: int, by_country: dict[str, int]) -> None:
        found, total = canary_sizes.spread(wanted, by_country), sum(by_country.values())

        assert sum(found.values()) == min(wanted, total)
        for country, n in by_country.items():
            assert found.get(country, 0) <= n
            if wanted < total:
                assert abs(found.get(country, 0) - wanted * n / total) < 1


class GateTests:
    def test_nobody_leaves_before_they_are_chosen(self, start: Callable[..., Campaign]) -> None:
        campaign = start(canary="10")
        assert claimed_of(campaign) == []
        Batch.objects.update(not_before=None)  # and whatever else may have woken it

        assert claimed_of(campaign) == []

    def test_only_the_chosen_leave_whatever_wakes_the_rest(self, start: Callable[..., Campaign]) -> None:
        campaign = start(canary="10")
        canaries.follow()

        left = claimed_of(campaign)
        Batch.objects.filter(state=BatchState.QUEUED).update(not_before=None)
        left += claimed_of(campaign)

        by_country = {country: Message.objects.filter(pk__in=left, country=country).count() for country in COUNTRIES}
        assert by_country == {"IN": 6, "BD": 3, "DE": 1}
        assert set(left) == set(CanaryMessage.objects.values_list("message_id", flat=True))

    def test_a_killed_choice_goes_on_where_it_stood(
        self, start: Callable[..., Campaign], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = start(canary="40%")
        canaries._draw(campaign)
        before = set(CanaryMessage.objects.values_list("message_id", flat=True))
        canaries._draw(campaign)
        first = Message.objects.filter(pk__in=before).earliest("pk").batch_id
        canaries._part_batch(first)

        canaries.follow()

        assert set(claimed_of(campaign)) == before
        assert len(before) == 40

    def test_released_and_retried_ones_are_still_the_same(self, start: Callable[..., Campaign]) -> None:
        campaign = start(canary="20")
        canaries.follow()
        claim = claiming.claim(campaign, "token")
        assert isinstance(claim, Claim)

        assert claiming.release(claim, "stopped")

        assert len(set(claimed_of(campaign))) == 20

    def test_without_one_nothing_is_asked_and_nothing_waits(self, start: Callable[..., Campaign]) -> None:
        campaign = start()

        assert gate._of(campaign) is None
        assert len(claimed_of(campaign)) == 100

    def test_one_that_is_everybody_waits_for_nothing(self, start: Callable[..., Campaign]) -> None:
        campaign = start(canary="100")
        canaries.follow()

        assert len(claimed_of(campaign)) == 100
        assert "Everybody goes first" in events_saying("first", campaign.events.all()).get().text

    def test_what_waits_says_so_without_a_moment(self, start: Callable[..., Campaign]) -> None:
        campaign = start(canary="10")
        canaries.follow()
        claimed_of(campaign)

        assert [(row.until, row.n) for row in waiting.of(campaign)] == [(None, 90)]
        document = campaign_report.document(campaign)["waiting"]
        assert json.loads(json.dumps(document))[0]["until"] is None
        assert "few first" in waiting.sentence(campaign.pk, Batch.objects.filter(state="queued").first().not_before)


class DecisionTests:
    WAIT = dt.timedelta(minutes=15)

    @pytest.fixture
    def sent(self, start: Callable[..., Campaign], clock: Callable[[dt.timedelta], None]) -> tuple[Campaign, list[int]]:
        campaign = start(canary="20")
        canaries.follow()
        return campaign, claimed_of(campaign)

    def state(self, campaign: Campaign) -> str:
        campaign.refresh_from_db()
        return campaign.state

    def test_well_reported_the_rest_goes_by_itself(
        self, sent: tuple[Campaign, list[int]], clock: Callable[[dt.timedelta], None]
    ) -> None:
        campaign, left = sent
        told(left, delivered=9, undelivered=1)
        canaries.follow()
        assert claimed_of(campaign) == []

        clock(self.WAIT)
        canaries.follow()

        assert len(claimed_of(campaign)) == 80
        assert events_saying("9 of 10 reports say delivered (90%)", campaign.events.all()).exists()

    def test_all_reported_it_does_not_wait_for_its_minutes(self, sent: tuple[Campaign, list[int]]) -> None:
        campaign, left = sent
        told(left, delivered=16, undelivered=4)

        canaries.follow()

        assert len(claimed_of(campaign)) == 80

    def test_badly_reported_it_is_held_with_the_figures(
        self, sent: tuple[Campaign, list[int]], clock: Callable[[dt.timedelta], None]
    ) -> None:
        campaign, left = sent
        told(left, delivered=7, undelivered=3)
        canaries.follow()
        clock(self.WAIT)

        canaries.follow()

        assert self.state(campaign) == CampaignState.HELD
        assert "7 of 10 reports say delivered (70%); at least 80% are wanted" in campaign.hold_reason
        assert claimed_of(campaign) == []

    def test_resumed_it_says_at_once_that_it_would_be_held_again(
        self, sent: tuple[Campaign, list[int]], clock: Callable[[dt.timedelta], None]
    ) -> None:
        campaign, left = sent
        told(left, delivered=7, undelivered=3)
        canaries.follow()
        clock(self.WAIT)
        canaries.follow()
        late = Batch.objects.filter(accepted__gt=0)[:1]
        Batch.objects.filter(pk__in=late).update(accepted=F("accepted") - 1, delivered=F("delivered") + 1)

        with pytest.raises(FewFirstFailed, match=r"^Not resumed: .* 8 of 11 reports say delivered \(72%\)"):
            campaigns.resume(campaign.pk)

        assert self.state(campaign) == CampaignState.HELD

    def test_resumed_after_better_reports_it_goes_on(self, sent: tuple[Campaign, list[int]]) -> None:
        campaign, left = sent
        told(left, delivered=7, undelivered=13)
        canaries.follow()
        Message.objects.filter(pk__in=left).update(state=MessageState.DELIVERED)
        Batch.objects.filter(undelivered__gt=0).update(delivered=F("delivered") + F("undelivered"), undelivered=0)

        campaigns.resume(campaign.pk)
        canaries.follow()

        assert len(claimed_of(campaign)) == 80

    def test_paused_with_the_reports_against_it_it_is_not_resumed(self, sent: tuple[Campaign, list[int]]) -> None:
        campaign, left = sent
        told(left, delivered=2, undelivered=18)
        campaigns.pause(campaign.pk)

        with pytest.raises(FewFirstFailed, match="2 of 20 reports"):
            campaigns.resume(campaign.pk)

        canaries.go_on(campaign.pk, reason="because", by=None)
        campaigns.resume(campaign.pk)
        assert len(claimed_of(campaign)) == 80

    @pytest.mark.parametrize("delivered", [0, 9])
    def test_with_fewer_reports_nothing_is_decided(
        self, sent: tuple[Campaign, list[int]], clock: Callable[[dt.timedelta], None], delivered: int
    ) -> None:
        campaign, left = sent
        told(left, delivered=delivered, undelivered=9 - delivered)
        canaries.follow()
        clock(10 * self.WAIT)

        canaries.follow()
        canaries.follow()

        assert self.state(campaign) == CampaignState.RUNNING
        assert claimed_of(campaign) == []
        assert events_saying("it waits for 10 before it decides", campaign.events.all()).count() == 1

    @pytest.mark.parametrize(
        "still",
        [
            {"state": BatchState.CLAIMED},
            {"state": BatchState.QUEUED},
            {"state": BatchState.QUEUED, "not_before": NOON + dt.timedelta(days=1), "waits_for": "its hours"},
        ],
        ids=["in hand", "released", "waits for its hours"],
    )
    def test_while_one_of_them_is_on_its_way_nothing_is_decided(
        self, sent: tuple[Campaign, list[int]], clock: Callable[[dt.timedelta], None], still: dict[str, object]
    ) -> None:
        left = sent[1]
        last = min(Message.objects.filter(pk__in=left).values_list("batch_id", flat=True))
        on_its_way = [pk for pk in left if Message.objects.get(pk=pk).batch_id == last]
        Batch.objects.filter(pk=last).update(**still)
        told([pk for pk in left if pk not in on_its_way], 100, 0)
        canaries.follow()
        clock(10 * self.WAIT)
        canaries.follow()
        assert not Canary.objects.filter(passed_at__isnull=False).exists()

        told(on_its_way, 100, 0)
        canaries.follow()

        assert Canary.objects.filter(passed_at__isnull=False).exists()  # nothing else stood in its way

    def test_a_decision_that_was_cut_off_is_carried_out(self, sent: tuple[Campaign, list[int]]) -> None:
        campaign, left = sent
        told(left, 20, 0)
        canaries._decide(campaign)
        assert claimed_of(campaign) == []  # nobody was let go yet

        canaries.follow()

        assert len(claimed_of(campaign)) == 80

    def test_go_on_now_takes_a_reason_and_keeps_it(self, sent: tuple[Campaign, list[int]]) -> None:
        campaign, left = sent
        told(left, 2, 18)
        canaries.follow()
        assert self.state(campaign) == CampaignState.HELD
        with pytest.raises(ValidationError):
            canaries.go_on(campaign.pk, reason=" ", by=None)

        for _time in range(2):
            canaries.go_on(campaign.pk, reason="the carrier is slow today", by=None)

        assert events_saying("the carrier is slow today", campaign.events.all()).count() == 1
        assert self.state(campaign) == CampaignState.RUNNING
        assert len(claimed_of(campaign)) == 80
        assert events_saying("the carrier is slow today", campaign.events.all()).exists()

    def test_go_on_says_nothing_about_its_latest_end(self, sent: tuple[Campaign, list[int]]) -> None:
        campaign, left = sent
        told(left, 2, 18)
        canaries.follow()
        Campaign.objects.update(latest_end=NOON - self.WAIT)

        canaries.go_on(campaign.pk, reason="because", by=None)

        assert self.state(campaign) == CampaignState.RUNNING
        assert isinstance(claiming.claim(campaign, "token"), claiming.Shut)

    def test_go_on_leaves_other_holds_as_they_are(self, sent: tuple[Campaign, list[int]]) -> None:
        campaign, _left = sent
        states.hold(campaign.pk, "Something else.")

        canaries.go_on(campaign.pk, reason="because", by=None)

        assert self.state(campaign) == CampaignState.HELD

    def test_go_on_before_they_are_chosen_is_refused(self, start: Callable[..., Campaign]) -> None:
        with pytest.raises(NotNow):
            canaries.go_on(start(canary="10").pk, reason="because", by=None)

    def test_a_paused_one_is_not_decided(self, sent: tuple[Campaign, list[int]]) -> None:
        campaign, left = sent
        told(left, 20, 0)
        campaigns.pause(campaign.pk)

        canaries.follow()

        assert not Canary.objects.filter(passed_at__isnull=False).exists()


def test_a_copy_keeps_it_and_a_retry_does_not(start: Callable[..., Campaign]) -> None:
    campaign = start(canary="10", canary_wait=5, canary_reports=30, canary_least=70)

    copied = follow_ups.copy(campaign.pk)

    assert (copied.canary, copied.canary_wait) == ("10", 5)
    assert (copied.canary_reports, copied.canary_least) == (30, 70)
    canaries.follow()
    told(claimed_of(campaign), 0, 10)
    campaigns.cancel(campaign.pk)
    OutcomeTally.objects.create(campaign=campaign, state=Message.State.UNDELIVERED, messages=10)
    assert follow_ups.retry_failed(campaign.pk).canary == ""


def test_the_command_takes_it(
    application: Application, group: ContactGroup, capsys: pytest.CaptureFixture[str]
) -> None:
    add_contacts(group, 2)
    given = ["campaign", "create", "--name", "A", "--app", application.app_id, "--text", "Hi", "--group", group.name]

    call_command(*given, "--canary", "5%", "--canary-wait", "3", "--canary-least", "90", "--json")

    campaign = Campaign.objects.get(pk=json.loads(capsys.readouterr().out)["id"])
    assert (campaign.canary, campaign.canary_wait, campaign.canary_least) == ("5%", 3, 90)
    with pytest.raises(CommandError, match="is not a size"):
        call_command(*given, "--canary", "some")


@pytest.mark.django_db(transaction=True)
def test_through_the_gateway_the_rest_follows(
    sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
) -> None:
    add_contacts(group, 30)
    campaign = drafts.create(
        name="A", application=application, sender_id="", text="Hi", groups=[group], canary="10", canary_wait=0
    )
    starting.launch(campaign.pk, by=None)
    run_jobs()

    campaign.refresh_from_db()
    assert campaign.state == CampaignState.RUNNING
    assert counting.state_counts(campaign)["accepted"] == 10
    canaries.go_on(campaign.pk, reason="seen", by=None)
    run_jobs()
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.FINISHED


def test_where_nobody_has_left_nothing_is_concluded(application: Application) -> None:
    campaign = Campaign.objects.create(name="A", application=application, text="Hi", canary="10")
    canary = Canary.objects.create(campaign=campaign, size=5)

    canaries._weigh(campaign, canary, canary_figures.Figures(0, 0, 0, 5, 1))

    assert canary.hold_reason.startswith("None of the 5 that were to go first has left.")

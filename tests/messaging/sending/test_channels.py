"""What a channel may say differs; everything else is the one door out."""

from collections.abc import Callable, Iterator

import pytest

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.work.patience import Patience
from laaffic_console.laaffic import LaafficClient, SendResult
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, Campaign, CampaignState, ContactGroup, MessageState, SuppressionEntry
from messaging.services.campaigns import drafts, starting
from messaging.services.channels import channels
from messaging.services.channels.channels import NotReady, Post, SendingChannel
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import proving
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)


class OneByOne(SendingChannel):
    """A channel whose calls carry one recipient each."""

    key = "voice"
    application_channel = "voice"
    recipients_per_call = 1
    longest_text = 1000

    def __init__(self) -> None:
        self.posted: list[list[str]] = []
        self.ready = True

    def interface(self, texts: int) -> str:
        return "one by one"

    def poster(self, campaign: Campaign) -> Post:
        if not self.ready:
            raise NotReady("Its file has lapsed.")

        def post(client: LaafficClient, claimed: Claim) -> SendResult:
            self.posted.append(claimed.numbers)
            return SendResult([f"v{claimed.message_ids[0]}"], [], 1, 0)

        return post

    def look_for_reports(self, client: LaafficClient, batch: Batch, asking: Patience) -> None:
        return


@pytest.fixture
def one_by_one() -> Iterator[OneByOne]:
    before = dict(channels._channels)
    channel = OneByOne()
    channels.register(channel)
    yield channel
    channels._channels.clear()
    channels._channels.update(before)


def launched(group: ContactGroup, **fields: object) -> Campaign:
    application = Application.objects.create(app_id="voiceApp", channel="voice")
    campaign = drafts.create(
        name="A", application=application, sender_id="", text="Hello", groups=[group], channel="voice", **fields
    )
    return starting.launch(campaign.pk)


class OneByOneTests:
    def test_each_recipient_has_a_call_of_its_own(
        self, sandbox: RunningSandbox, group: ContactGroup, one_by_one: OneByOne, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 7)
        campaign = launched(group)
        run_jobs()

        campaign.refresh_from_db()
        assert sorted(one_by_one.posted) == [[f"91987650000{n}"] for n in range(7)]
        assert LedgerEntry.objects.filter(interface="one by one").count() == 7
        assert campaign.state == CampaignState.FINISHED
        assert counting.state_counts(campaign)["accepted"] == 7
        assert proving.prove(campaign)["disagreements"] == []

    def test_with_a_rate_too(
        self, sandbox: RunningSandbox, group: ContactGroup, one_by_one: OneByOne, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 4)
        campaign = launched(group, rate_per_second=50)
        run_jobs()

        assert len(one_by_one.posted) == 4
        assert proving.prove(Campaign.objects.get(pk=campaign.pk))["disagreements"] == []

    def test_its_own_suppression_counts_and_anothers_does_not(
        self, sandbox: RunningSandbox, group: ContactGroup, one_by_one: OneByOne, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 3)
        SuppressionEntry.objects.create(number="919876500000", channel="voice")
        SuppressionEntry.objects.create(number="919876500001", channel="sms")
        campaign = launched(group)
        SuppressionEntry.objects.create(number="919876500002", channel="voice")
        run_jobs()

        assert one_by_one.posted == [["919876500001"]]
        campaign.refresh_from_db()
        assert campaign.dropped_suppressed + counting.state_counts(campaign)["suppressed"] == 2

    def test_not_ready_holds_with_its_sentence(
        self, sandbox: RunningSandbox, group: ContactGroup, one_by_one: OneByOne, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 1)
        one_by_one.ready = False
        campaign = launched(group)
        run_jobs()

        campaign.refresh_from_db()
        assert (campaign.state, campaign.hold_reason) == (CampaignState.HELD, "Its file has lapsed.")
        assert campaign.messages.get().state == MessageState.QUEUED

    def test_an_application_of_another_channel_is_refused(
        self, application: Application, group: ContactGroup, one_by_one: OneByOne
    ) -> None:
        with pytest.raises(Exception, match="Choose one for Voice"):
            drafts.create(name="A", application=application, sender_id="", text="Hi", groups=[group], channel="voice")

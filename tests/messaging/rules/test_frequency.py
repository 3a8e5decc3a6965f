"""Nobody gets more than the cap allows, whichever campaigns reach them, and in whatever order these go."""

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic import NotSent, OutcomeUnknown, SendResult
from messaging.models import Batch, Campaign, Contact, ContactGroup, FrequencyCap, GroupMembership, Message
from messaging.models import MessageState as State
from messaging.services.audience import audience, audience_counts
from messaging.services.batches import answers, claiming, failed_requests, settling
from messaging.services.campaigns import drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import pastes
from messaging.services.figures import proving
from messaging.services.gates import frequency
from tests.messaging.conftest import add_contacts
from tests.messaging.sending.test_message_machine import rolled_back

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_cap_of_one(settings: LazySettings) -> Iterator[None]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    settings.LAAFFIC_FREQUENCY_CAP_DAY = 1
    account.laaffic_client.cache_clear()
    yield
    account.laaffic_client.cache_clear()


def started(application: Application, group: ContactGroup, name: str, **fields: Any) -> Campaign:
    campaign = drafts.create(
        name=name, application=application, sender_id="", text=f"Hello {name}", groups=[group], **fields
    )
    starting.launch(campaign.pk, by=None)
    freeze(campaign)
    return campaign


def freeze(campaign: Campaign) -> None:
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()


def send(campaign: Campaign) -> int:
    """Claim what there is, and let the gateway take it; how many."""
    Batch.objects.update(not_before=None)
    claim = claiming.claim(campaign, "token")
    if not isinstance(claim, Claim):
        return 0
    accept(campaign, claim)
    return len(claim.message_ids)


def accept(campaign: Campaign, claim: Claim) -> None:
    ledger.depart(claim.entry_id)
    ids: list[str | None] = [f"20{pk}" for pk in claim.message_ids]
    settling.settle_answer(campaign.pk, claim, SendResult(ids, [], len(ids), 0))


class CapTests:
    @pytest.fixture(autouse=True)
    def _people(self, group: ContactGroup) -> None:
        add_contacts(group, 5)

    def test_who_has_had_enough_is_left_out_when_it_is_frozen(
        self, application: Application, group: ContactGroup
    ) -> None:
        send(started(application, group, "A"))

        second = started(application, group, "B")

        assert (second.total, second.dropped_capped, second.total_left_out) == (0, 5, 5)

    def test_so_are_given_and_pasted_numbers_and_the_count_before_says_about_how_many(
        self, application: Application, group: ContactGroup
    ) -> None:
        send(started(application, group, "A"))
        numbers = list(group.contacts.values_list("number", flat=True))
        drafted = [
            drafts.create(name="B", application=application, sender_id="", text="Hi", **to)
            for to in ({"groups": [group]}, {"numbers": numbers}, {"paste": pastes.from_lines(numbers)})
        ]
        counted = [audience_counts.complete(draft) for draft in drafted]
        assert [(count.recipients, count.capped) for count in counted] == [(5, 5)] * 3

        for draft in drafted:
            starting.launch(draft.pk, by=None)
            freeze(draft)

        assert [(one.total, one.dropped_capped, one.dropped_invalid) for one in drafted] == [(0, 5, 0)] * 3

    @pytest.mark.parametrize("is_written", [True, False])
    def test_who_has_had_enough_when_it_is_claimed_gets_nothing(
        self, application: Application, group: ContactGroup, is_written: bool
    ) -> None:
        first, second = started(application, group, "A"), started(application, group, "B")
        send(first)
        if is_written:
            answers.write_all(Batch.objects.all())

        assert send(second) == 0

        said = Message.objects.filter(campaign=second).values_list("state", "evidence")
        assert set(said) == {(State.CANCELLED, "has had 1 within 24 hours, and the frequency cap is 1")}
        assert not proving.prove(second)["disagreements"]

    def test_what_is_in_somebodys_hands_counts(self, application: Application, group: ContactGroup) -> None:
        first, second = started(application, group, "A"), started(application, group, "B")
        claim = claiming.claim(first, "token")
        assert isinstance(claim, Claim)

        with rolled_back():
            assert send(second) == 0
        claiming.release(claim, "its sender stopped")

        assert send(second) == 5

    def test_after_a_day_they_may_get_another(self, application: Application, group: ContactGroup) -> None:
        send(started(application, group, "A"))
        answers.write_all(Batch.objects.all())
        Message.objects.update(settled_at=timezone.now() - dt.timedelta(hours=24, minutes=1))

        assert send(started(application, group, "B")) == 5

    def test_the_week_counts_longer(
        self, application: Application, group: ContactGroup, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_FREQUENCY_CAP_DAY, settings.LAAFFIC_FREQUENCY_CAP_WEEK = 0, 1
        send(started(application, group, "A"))
        answers.write_all(Batch.objects.all())
        Message.objects.update(settled_at=timezone.now() - dt.timedelta(days=6))

        assert started(application, group, "B").dropped_capped == 5

    def test_a_transactional_campaign_is_neither_stopped_nor_counted(
        self, application: Application, group: ContactGroup
    ) -> None:
        transactional = {"purpose": Campaign.Purpose.TRANSACTIONAL}

        assert send(started(application, group, "A", **transactional)) == 5
        assert send(started(application, group, "B")) == 5
        assert send(started(application, group, "C", **transactional)) == 5

    def test_an_application_may_differ(self, application: Application, group: ContactGroup) -> None:
        FrequencyCap.objects.create(application=application, per_day=0)

        assert [send(started(application, group, name)) for name in "AB"] == [5, 5]

    def test_another_spelling_is_the_same_person(self, application: Application, group: ContactGroup) -> None:
        usual = Contact.objects.create(number="525512345678", country="MX")
        GroupMembership.objects.create(contact=usual, group=group)
        send(started(application, group, "A"))

        other = drafts.create(name="B", application=application, sender_id="", text="Hello", numbers=["5215512345678"])

        assert list(frequency.full_among(other, frequency.cap_of(other), other.extra_numbers)) == ["5215512345678"]

    def test_without_a_cap_nothing_is_asked(
        self, application: Application, group: ContactGroup, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_FREQUENCY_CAP_DAY = 0

        assert frequency.KIND.of(started(application, group, "A")) is None


STEP = st.tuples(st.integers(0, 2), st.sampled_from(["claim", "accept", "not sent", "lost", "release", "write"]))


@pytest.mark.thorough
@pytest.mark.timeout(400)
@examples(
    max_examples=int(os.environ.get("MACHINE_EXAMPLES", "12")),
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(STEP, min_size=5, max_size=25), cap=st.integers(1, 2))
def test_no_order_of_claims_exceeds_the_cap(
    application: Application, group: ContactGroup, settings: LazySettings, steps: list[tuple[int, str]], cap: int
) -> None:
    settings.LAAFFIC_FREQUENCY_CAP_DAY, settings.LAAFFIC_RECIPIENTS_PER_CALL = cap, 2
    with rolled_back():
        add_contacts(group, 5)
        running = [started(application, group, name) for name in "ABC"]
        held: list[tuple[Campaign, Claim]] = []
        left = Counter[str]()  # by number: what left, or may have
        for place, act in steps:
            Batch.objects.update(not_before=None)
            if act == "claim" and isinstance(claim := claiming.claim(running[place], "token"), Claim):
                held.append((running[place], claim))
                left.update(claim.numbers)
            elif act == "write":
                answers.write_all(Batch.objects.all())
            elif held and act != "claim":
                campaign, claim = held.pop(place % len(held))
                if settle(campaign, claim, act):
                    left.subtract(claim.numbers)
            assert max(left.values(), default=0) <= cap
        while sum(send_counted(campaign, left) for campaign in running):
            pass
        assert max(left.values()) <= cap
        assert [proving.prove(campaign)["disagreements"] for campaign in running] == [[], [], []]


def settle(campaign: Campaign, claim: Claim, act: str) -> bool:
    """Whether it is certain that nothing left."""
    if act == "accept":
        accept(campaign, claim)
        return False
    if act == "release":
        return claiming.release(claim, "its sender stopped")
    ledger.depart(claim.entry_id)
    error = NotSent if act == "not sent" else OutcomeUnknown
    failed_requests.settle_error(campaign.pk, claim, error("no", interface="sendSms"))
    return act == "not sent"


def send_counted(campaign: Campaign, left: Counter[str]) -> int:
    Batch.objects.update(not_before=None)
    claim = claiming.claim(campaign, "token")
    if not isinstance(claim, Claim):
        return 0
    left.update(claim.numbers)
    accept(campaign, claim)
    return len(claim.numbers)

"""Calls that carry one recipient: claimed, let go and written by dozens, so that a hundred thousand take minutes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from django.conf import LazySettings

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic import SendResult
from messaging.models import Batch, BatchAnswer, BatchState, Campaign, ContactGroup, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import carving, claiming, settling
from messaging.services.campaigns import drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import suppression
from messaging.services.figures import proving
from messaging.services.sending import sending
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(application: Application, group: ContactGroup, settings: LazySettings) -> Iterator[Campaign]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    settings.LAAFFIC_RECIPIENTS_PER_CALL = 1
    account.laaffic_client.cache_clear()
    add_contacts(group, 100)
    campaign = drafts.create(name="Autumn", application=application, sender_id="", text="Hello", groups=[group])
    starting.launch(campaign.pk, by=None)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()
    yield campaign
    account.laaffic_client.cache_clear()


def claim(campaign: Campaign, at_most: int) -> list[Claim]:
    claimed = claiming.claim_some(campaign, "token", at_most)
    assert isinstance(claimed, list)
    return claimed


def answered(claims: list[Claim]) -> list[tuple[Claim, SendResult]]:
    return [(one, SendResult([f"9{one.message_ids[0]}"], [], 1, 0)) for one in claims]


class ClaimTests:
    def test_each_gets_a_request_of_its_own(self, running: Campaign) -> None:
        claims = claim(running, 64) + claim(running, 64)

        ids = [pk for one in claims for pk in one.message_ids]
        assert ids == list(Message.objects.order_by("pk").values_list("pk", flat=True))
        assert len(claims) == len({one.entry_id for one in claims}) == 100
        assert claiming.claim_some(running, "token", 64) is None
        assert sum(Batch.objects.values_list("size", flat=True)) == 100
        assert not proving.prove(running)["disagreements"]

    def test_many_cost_hardly_more_statements_than_few(
        self, running: Campaign, django_assert_max_num_queries: Callable[[int], AbstractContextManager[None]]
    ) -> None:
        with django_assert_max_num_queries(20):
            assert len(claim(running, 64)) == 64

    def test_a_batch_and_the_part_carved_from_its_head_are_both_read(self, running: Campaign) -> None:
        """Both begin at the same message: the one that went first is in the other's range."""
        batch = Batch.objects.get()
        Batch.objects.filter(pk=carving.carve_head(carving.carve_head(batch, 2), 1).pk).update(attempt=3)

        claims = claim(running, 64) + claim(running, 64)

        assert sorted(pk for one in claims for pk in one.message_ids) == list(
            Message.objects.order_by("pk").values_list("pk", flat=True)
        )

    @pytest.mark.parametrize("rate", [None, 10])
    def test_a_batch_whose_reports_all_came_first_is_settled(self, running: Campaign, rate: int | None) -> None:
        Campaign.objects.update(rate_per_second=rate)
        Message.objects.update(state=MessageState.DELIVERED)
        Batch.objects.update(queued=0, delivered=100)

        assert claim(running, 64) == []

        assert Batch.objects.get().state == BatchState.SETTLED
        assert claiming.claim_some(running, "token", 64) is None

    def test_who_opted_out_among_them_gets_nothing(self, running: Campaign, group: ContactGroup) -> None:
        first = Message.objects.order_by("pk").values_list("number", flat=True)[:3]
        suppression.suppress_numbers(list(first), channel="sms", reason="opt_out")

        assert len(claim(running, 10)) == 7

        assert counting.state_counts(running)["suppressed"] == 3
        assert Batch.objects.filter(state=BatchState.SETTLED).count() == 3

    @pytest.mark.parametrize(("rate", "taken"), [(10, 1), (100, 5), (100_000, 8)])
    def test_a_rate_is_kept_to_a_twentieth_of_a_second(self, running: Campaign, rate: int, taken: int) -> None:
        Campaign.objects.filter(pk=running.pk).update(rate_per_second=rate)

        assert len(claim(running, 8)) == taken

    def test_a_request_for_many_is_claimed_as_before(self) -> None:
        assert sending.requests_at_once(1000, 32) == sending.AT_ONCE
        assert [sending.requests_at_once(1, connections) for connections in (1, 4, 32, 100)] == [4, 8, 64, 64]


class DepartTests:
    def test_those_that_were_taken_away_stay(self, running: Campaign) -> None:
        claims = claim(running, 5)
        claiming.release(claims[2], "a person paused it")

        left = ledger.depart_all([one.entry_id for one in claims])

        assert sorted(left) == [one.entry_id for one in claims if one is not claims[2]]
        assert len(set(left.values())) == 1
        flying = LedgerEntry.objects.filter(state=EntryState.IN_FLIGHT).values_list("pk", "left_at")
        assert dict(flying) == left


class SettleTests:
    def test_the_rows_say_it_at_once(self, running: Campaign) -> None:
        claims = claim(running, 10)
        ledger.depart_all([one.entry_id for one in claims])

        settling.settle_answers(running.pk, answered(claims))

        rows = Message.objects.filter(state=MessageState.ACCEPTED).order_by("pk").values_list("pk", "gateway_id")
        assert list(rows) == [(one.message_ids[0], f"9{one.message_ids[0]}") for one in claims]
        assert not BatchAnswer.objects.exists()
        assert counting.state_counts(running)["accepted"] == 10
        assert not proving.prove(running)["disagreements"]

    def test_a_report_that_came_first_stays(self, running: Campaign) -> None:
        claims = claim(running, 3)
        ledger.depart_all([one.entry_id for one in claims])
        early = Message.objects.filter(pk=claims[1].message_ids[0])
        early.update(state=MessageState.DELIVERED, settled_at=early.get().batch.claimed_at)
        Batch.objects.filter(pk=claims[1].batch_id).update(queued=0, delivered=1)

        settling.settle_answers(running.pk, answered(claims))

        assert early.get().state == MessageState.DELIVERED
        assert BatchAnswer.objects.count() == 3
        assert LedgerEntry.objects.filter(state=EntryState.ACCEPTED).count() == 3

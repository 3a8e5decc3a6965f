"""What a gate says when a batch is claimed, and what becomes of the batch and its messages."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest
from django.conf import LazySettings
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from messaging.models import Batch, BatchState, Campaign, ContactGroup, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import carving, claiming
from messaging.services.campaigns import drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import proving
from messaging.services.gates import gates
from messaging.services.gates.gates import Gate, Kind, Later, Queued, Verdict
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

TOMORROW = timezone.now() + dt.timedelta(days=1)


class SayingGate(Gate):
    """Says of each message what its number's last digit is given."""

    def __init__(self, says: Callable[[Sequence[Queued]], Verdict]) -> None:
        self.says = says
        self.counted: list[int] = []

    def look(self, rows: Sequence[Queued]) -> Verdict:
        return self.says(rows)

    def taken(self, rows: Mapping[int, Sequence[Queued]]) -> None:
        self.counted += [row.message_id for of_batch in rows.values() for row in of_batch]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> SayingGate:
    saying = SayingGate(lambda rows: Verdict())
    monkeypatch.setitem(gates._kinds, "said", Kind("said", lambda campaign: saying, lambda value: f"It waits: {value}"))
    return saying


@pytest.fixture
def running(application: Application, group: ContactGroup, settings: LazySettings) -> Iterator[Campaign]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    add_contacts(group, 10)
    campaign = drafts.create(name="Autumn", application=application, sender_id="", text="Hello", groups=[group])
    starting.launch(campaign.pk, by=None)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()
    yield campaign
    account.laaffic_client.cache_clear()


def ids_of(campaign: Campaign) -> list[int]:
    return list(Message.objects.filter(campaign=campaign).order_by("pk").values_list("pk", flat=True))


def states(campaign: Campaign) -> dict[int, int]:
    return dict(Message.objects.filter(campaign=campaign).values_list("pk", "state"))


class GateTests:
    def test_what_it_stops_never_goes_and_says_why(self, running: Campaign, gate: SayingGate) -> None:
        ids = ids_of(running)
        gate.says = lambda rows: Verdict(stopped=dict.fromkeys(ids[:2], "had three today"))

        claimed = claiming.claim(running, "token")

        assert isinstance(claimed, Claim)
        assert claimed.message_ids == ids[2:] == gate.counted
        stopped = Message.objects.filter(pk__in=ids[:2]).values_list("state", "evidence")
        assert set(stopped) == {(MessageState.CANCELLED, "had three today")}
        assert not proving.prove(running)["disagreements"]

    def test_what_waits_gets_a_batch_for_each_moment(self, running: Campaign, gate: SayingGate) -> None:
        ids = ids_of(running)
        later, latest = Later(TOMORROW, "said:IN"), Later(TOMORROW + dt.timedelta(hours=1), "said:BD")
        gate.says = lambda rows: Verdict(waiting={ids[0]: later, ids[4]: later, ids[9]: latest})

        claimed = claiming.claim(running, "token")

        assert isinstance(claimed, Claim)
        assert len(claimed.message_ids) == 7
        waiting = Batch.objects.filter(state=BatchState.QUEUED).order_by("not_before")
        assert [(b.queued, b.not_before, b.waits_for) for b in waiting] == [(2, *later), (1, *latest)]
        assert claiming.claim(running, "token") is None
        assert not proving.prove(running)["disagreements"]

    def test_a_batch_that_waits_as_a_whole_moves_nobody(self, running: Campaign, gate: SayingGate) -> None:
        batch = Batch.objects.get()
        gate.says = lambda rows: Verdict(waiting={row.message_id: Later(TOMORROW, "said:IN") for row in rows})

        assert claiming.claim(running, "token") is None

        batch.refresh_from_db()
        assert (Batch.objects.count(), batch.queued, batch.waits_for) == (1, 10, "said:IN")
        assert gates.in_words(batch.waits_for) == "It waits: IN"

    def test_a_batch_of_two_moments_is_parted_once(self, running: Campaign, gate: SayingGate) -> None:
        ids = ids_of(running)
        moments = {pk: Later(TOMORROW + dt.timedelta(hours=pk % 2), "said:IN") for pk in ids}
        gate.says = lambda rows: Verdict(waiting=moments)

        assert claiming.claim(running, "token") is None

        assert sorted(Batch.objects.values_list("queued", "not_before")) == sorted(
            (5, moment) for moment in {later.until for later in moments.values()}
        )

    def test_its_moment_come_it_leaves_and_waits_for_nothing(self, running: Campaign, gate: SayingGate) -> None:
        Batch.objects.update(not_before=timezone.now() - dt.timedelta(seconds=1), waits_for="said:IN")

        assert isinstance(claiming.claim(running, "token"), Claim)

        assert list(Batch.objects.values_list("not_before", "waits_for")) == [(None, "")]

    def test_a_hold_leaves_everything_queued(self, running: Campaign, gate: SayingGate) -> None:
        gate.says = lambda rows: Verdict(hold="The budget of the day is used up.")

        assert claiming.claim(running, "token") == claiming.Shut("The budget of the day is used up.")

        assert set(states(running).values()) == {MessageState.QUEUED}
        assert gate.counted == []

    def test_what_fits_leaves_before_the_hold(self, running: Campaign, gate: SayingGate) -> None:
        batch = Batch.objects.get()
        carving.carve_head(batch, 4)
        beyond = set(ids_of(running)[:4])
        gate.says = lambda rows: Verdict(hold="Used up." if any(row.message_id in beyond for row in rows) else "")

        claimed = claiming.claim_some(running, "token", 4)

        assert isinstance(claimed, list)
        assert [len(claim.message_ids) for claim in claimed] == [6]
        assert claiming.claim(running, "token") == claiming.Shut("Used up.")

    def test_gates_are_asked_one_after_the_other(
        self, running: Campaign, gate: SayingGate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = ids_of(running)
        counting = SayingGate(lambda rows: Verdict())
        monkeypatch.setitem(gates._kinds, "aaa", Kind("aaa", lambda campaign: counting, counts=True))
        gate.says = lambda rows: Verdict(stopped={ids[0]: "no"}, waiting={ids[1]: Later(TOMORROW, "said:IN")})

        claiming.claim(running, "token")

        assert counting.counted == ids[2:]

"""What a batch costs the database: so many statements, and none that the ORM has to write anew."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.kit.sql.constant_sql import Given, Insert, Select, Update
from laaffic_console.laaffic import SendResult
from messaging.models import (
    ApplicationCalendar,
    Batch,
    Budget,
    Calendar,
    Campaign,
    Consent,
    ConsentState,
    Contact,
    ContactGroup,
)
from messaging.services.audience import audience
from messaging.services.batches import claiming, settling
from messaging.services.campaigns import drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.sending import sending
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

# claim, departure, settling
BARE, CAREFUL = (9, 1, 5), (19, 1, 5)
NOT_COUNTED = ("SAVEPOINT", "RELEASE", "SET LOCAL", "PRAGMA", "SELECT pg_", "SELECT clock_")


@pytest.fixture
def running(application: Application, group: ContactGroup, settings: LazySettings) -> Iterator[Callable[[], Campaign]]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    settings.LAAFFIC_RECIPIENTS_PER_CALL = 10
    account.laaffic_client.cache_clear()
    add_contacts(group, 90)

    def launch() -> Campaign:
        campaign = drafts.create(
            name="Autumn", application=application, sender_id="", text="Hello", groups=[group], purpose="marketing"
        )
        starting.launch(campaign.pk, by=None)
        while audience.freeze_chunk(campaign.pk):
            pass
        return Campaign.objects.select_related("application").get(pk=campaign.pk)

    yield launch
    account.laaffic_client.cache_clear()


@pytest.fixture
def careful(running: object, application: Application, settings: LazySettings) -> None:
    """Calendar, budget, cap and consent, as marketing has them."""
    settings.LAAFFIC_FREQUENCY_CAP_DAY = settings.LAAFFIC_FREQUENCY_CAP_WEEK = 100
    settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True
    calendar = Calendar.objects.create(name="always", hours="mon-sun 00:00-24:00")
    ApplicationCalendar.objects.create(application=application, calendar=calendar)
    Budget.objects.create(application=application, limit=10**6)
    agreed = {"channel": application.channel, "state": ConsentState.GIVEN, "at": timezone.now()}
    Consent.objects.bulk_create(Consent(number=one.number, **agreed) for one in Contact.objects.all())


def statements_of(campaign: Campaign, requests: int = 4) -> tuple[int, int, int]:
    with CaptureQueriesContext(connection) as claimed:
        claims = claiming.claim_some(campaign, "token", requests)
    assert isinstance(claims, list)
    assert [len(one.numbers) for one in claims] == [10] * requests
    with CaptureQueriesContext(connection) as departed:
        left = sending.DEPARTURE.commit([one.entry_id for one in claims], campaign=campaign.pk)
    assert sorted(left) == [one.entry_id for one in claims]
    with CaptureQueriesContext(connection) as settled:
        settling.settle_answers(campaign.pk, [(one, answer_to(one)) for one in claims])
    entries = LedgerEntry.objects.filter(pk__in=left).values_list("state", "left_at", "code")
    assert set(entries) == {(EntryState.ACCEPTED, left[claims[0].entry_id], "0")}
    counts = [count_of(captured) for captured in (claimed, departed, settled)]
    return counts[0], counts[1], counts[2]


def answer_to(claimed: Claim) -> SendResult:
    return SendResult([f"9{pk}" for pk in claimed.message_ids], [], len(claimed.numbers), 0)


def count_of(captured: CaptureQueriesContext) -> int:
    """Without what only one of the databases needs to be told or asked: its disk, its locks, its clock."""
    return sum(not query["sql"].startswith(NOT_COUNTED) for query in captured.captured_queries)


def test_without_care(running: Callable[[], Campaign]) -> None:
    campaign = running()
    carve(campaign)

    assert statements_of(campaign) == BARE
    assert statements_of(campaign) == BARE


@pytest.mark.usefixtures("careful")
def test_with_calendar_budget_cap_and_consent(running: Callable[[], Campaign]) -> None:
    campaign = running()
    carve(campaign)
    statements_of(campaign)

    assert statements_of(campaign) == CAREFUL


@pytest.mark.parametrize("care", [False, True])
def test_the_second_batch_is_written_in_the_words_of_the_first(
    running: Callable[[], Campaign], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, care: bool
) -> None:
    if care:
        request.getfixturevalue("careful")
    campaign = running()
    carve(campaign)
    statements_of(campaign)
    written: list[str] = []
    for kind in {SQLCompiler, *SQLCompiler.__subclasses__(), type(Batch.objects.all().query.get_compiler("default"))}:
        if "as_sql" in vars(kind):
            monkeypatch.setattr(kind, "as_sql", spying(kind.as_sql, written))

    claims = claiming.claim_some(campaign, "token", 4)
    assert isinstance(claims, list)
    sending.DEPARTURE.commit([one.entry_id for one in claims], campaign=campaign.pk)
    settling.settle_answers(campaign.pk, [(one, answer_to(one)) for one in claims])

    assert written == []


def carve(campaign: Campaign) -> None:
    """Batches of one request each, as a frozen audience has them."""
    batch = Batch.objects.get(campaign=campaign)
    claiming._of_at_most(10, [batch], 9)


def spying(as_sql: Callable[..., tuple[str, object]], written: list[str]) -> Callable[..., tuple[str, object]]:
    def spy(self: object, *args: object, **options: object) -> tuple[str, object]:
        found = as_sql(self, *args, **options)
        written.append(str(found)[:200])
        return found

    return spy


class ConstantTests:
    """The mechanism: values, lists and moments that are given later; what changes the text has a text of its own."""

    def test_values_come_later_and_rows_as_the_orm_gives_them(self, application: Application) -> None:
        since = timezone.now()
        before = since - dt.timedelta(days=1)
        made = [entry("one", application, since), entry("two", application, since), entry("old", None, before)]
        Insert(LedgerEntry, keys=True)(made)
        asked = LedgerEntry.objects.filter(interface__among=Given("names"), prepared_at__gte=Given("since"))
        found = Select(lambda at_most: asked.order_by("-pk").values_list("pk", "prepared_at", "summary")[:at_most])

        assert found.rows(1, names=["one", "two", "old"], since=since) == [(made[1].pk, since, {"of": "two"})]
        assert [row[0] for row in found.rows(2, names=["one", "two"], since=since)] == [made[1].pk, made[0].pk]
        assert found.rows(2, names=["old"], since=since) == []
        assert found.rows(2, names=[], since=since) == []

    def test_new_rows_are_whole(self, application: Application) -> None:
        made = [entry("one", application, timezone.now()), entry("two", application, timezone.now())]

        Insert(LedgerEntry, keys=True)(made)

        for one in made:
            kept = LedgerEntry.objects.get(pk=one.pk)
            assert {field.attname: getattr(kept, field.attname) for field in kept._meta.fields} == {
                field.attname: getattr(one, field.attname) for field in one._meta.fields
            }
            one.reason = "saved as any other row"
            one.save()
        assert LedgerEntry.objects.count() == 2

    def test_an_update_says_how_many(self, application: Application) -> None:
        made = [entry("one", application, timezone.now()), entry("two", application, timezone.now())]
        Insert(LedgerEntry, keys=True)(made)
        say = Update(lambda: (LedgerEntry.objects.filter(pk__among=Given("ids")), {"reason": Given("why")}))

        assert say(ids=[made[0].pk, made[1].pk + 1], why="it's 100 %s") == 1

        assert list(LedgerEntry.objects.order_by("pk").values_list("reason", flat=True)) == ["it's 100 %s", ""]


def entry(interface: str, application: Application | None, at: dt.datetime) -> LedgerEntry:
    return LedgerEntry(
        interface=interface, application=application, about_kind="test", prepared_at=at, summary={"of": interface}
    )

"""What one recipient has brought upon a request costs the others nothing: refused whole, it goes again in halves."""

import datetime as dt
from collections.abc import Sequence

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from laaffic_console.gateway.models import AccountHold, Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic import OutcomeUnknown, Refused, SendResult
from laaffic_console.laaffic.codes import Family, lookup
from messaging.models import Batch, Campaign, CampaignState, Contact, ContactGroup, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import answers, claiming, error_limit, failed_requests, settling, unanswered
from messaging.services.campaigns import drafts, resolving, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import insights, proving
from messaging.services.gates import gates
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)

SENSITIVE, TOO_OFTEN, NO_PRICE, LIMIT_OF_PHONE = "-3", "-15", "-19", "-28"
ON_ANOTHER_DAY = (
    "The console tries again for a day, later each time; what is refused then can be retried on another day."
)


@pytest.fixture(autouse=True)
def _credentials(settings: LazySettings) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


def refused(code: str) -> Refused:
    return Refused(interface="sendSms", entry=lookup(Family.SMS, code), reason="no", http_status=200)


def launched(application: Application, group: ContactGroup, names: list[str]) -> Campaign:
    for contact, name in zip(add_contacts(group, len(names)), names, strict=True):
        Contact.objects.filter(pk=contact.pk).update(name=name)
    campaign = drafts.create(name="A", application=application, sender_id="S", text="Hi {{name}}", groups=[group])
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    return Campaign.objects.get(pk=campaign.pk)


def departed(campaign: Campaign) -> Claim | None:
    """The next request, if there is any, as it leaves."""
    claimed = claiming.claim(campaign, "token")
    if not isinstance(claimed, Claim):
        return None
    assert ledger.depart(claimed.entry_id)
    return claimed


def answer(campaign: Campaign, claimed: Claim) -> None:
    settling.settle_answer(campaign.pk, claimed, SendResult([f"21{pk}" for pk in claimed.message_ids], [], None, None))


def test_a_word_that_one_name_brings_into_its_text_rejects_that_message_alone(
    application: Application, group: ContactGroup
) -> None:
    campaign = launched(application, group, ["Ann", "Bad word", "Cleo", "Dan", "Eve"])
    holds, refusals = [], 0

    while (claimed := departed(campaign)) is not None:
        if any("Bad word" in text.text for text in claimed.texts):
            holds.append(failed_requests.settle_error(campaign.pk, claimed, refused(SENSITIVE)).hold_because)
            refusals += 1
        else:
            answer(campaign, claimed)

    answers.write_all(Batch.objects.all())
    states = dict(Message.objects.values_list("number", "state"))
    assert {number for number, state in states.items() if state == MessageState.REJECTED} == {"919876500001"}
    assert sum(state == MessageState.ACCEPTED for state in states.values()) == 4
    assert [bool(because) for because in holds] == [False] * (refusals - 1) + [True]  # only where it stood alone
    assert LedgerEntry.objects.filter(state=EntryState.ACCEPTED).exists()
    assert proving.prove(campaign)["disagreements"] == []


def test_a_country_without_a_price_costs_the_others_nothing(application: Application, group: ContactGroup) -> None:
    add_contacts(group, 1, first=4915112345678)
    Contact.objects.update(country="DE")
    campaign = launched(application, group, ["Ann", "Bo", "Cleo", "Dan"])
    held, asked = "", 0

    while (claimed := departed(campaign)) is not None:
        asked += 1
        if any(number.startswith("49") for number in claimed.numbers):
            held = held or failed_requests.settle_error(campaign.pk, claimed, refused(NO_PRICE)).hold_because
        else:
            answer(campaign, claimed)

    answers.write_all(Batch.objects.all())
    rejected = Message.objects.get(state=MessageState.REJECTED)
    assert (rejected.number, rejected.reason) == ("4915112345678", "-19 no price agreed")
    assert Message.objects.filter(state=MessageState.ACCEPTED).count() == 4
    assert (held, asked <= 6) == ("", True)


def test_without_a_price_for_anybody_it_is_asked_once(application: Application, group: ContactGroup) -> None:
    campaign = launched(application, group, [f"N{n}" for n in range(error_limit.ALL_ALIKE)])
    claimed = departed(campaign)
    assert claimed is not None

    held = failed_requests.settle_error(campaign.pk, claimed, refused(NO_PRICE)).hold_because

    assert "agree a price" in held
    assert not Message.objects.exclude(state=MessageState.REJECTED).exists()


@pytest.mark.parametrize("gives_back", ["its sender", "whoever comes after a sender that died"])
def test_what_never_left_does_not_make_the_wait_after_a_refusal_longer(
    application: Application, group: ContactGroup, gives_back: str
) -> None:
    campaign = launched(application, group, ["Ann", "Bo"])
    for _ in range(8):
        claimed = claiming.claim(campaign, "token")
        assert isinstance(claimed, Claim)
        if gives_back == "its sender":
            claiming.release(claimed, "stopped")
        else:
            unanswered.recover_stale(campaign.pk, "another token")
    claimed = departed(campaign)
    assert claimed is not None

    waits = failed_requests.settle_error(campaign.pk, claimed, refused(TOO_OFTEN)).wait_until

    assert waits is not None
    assert (waits - database_clock.now()).total_seconds() <= 2 * failed_requests.FIRST_WAIT


def test_the_limit_of_one_phone_lets_that_message_wait_and_no_other(
    application: Application, group: ContactGroup
) -> None:
    campaign = launched(application, group, ["Ann", "Bo", "Cleo"])
    limited = "919876500000"
    asked = 0

    while (claimed := departed(campaign)) is not None:
        asked += 1
        if limited in claimed.numbers:
            aftermath = failed_requests.settle_error(campaign.pk, claimed, refused(LIMIT_OF_PHONE))
            assert (aftermath.wait_because, aftermath.hold_because) == ("", "")
        else:
            answer(campaign, claimed)

    answers.write_all(Batch.objects.all())
    waiting = Message.objects.get(state=MessageState.QUEUED)
    assert (waiting.number, waiting.batch.not_before is not None) == (limited, True)
    assert Message.objects.filter(state=MessageState.ACCEPTED).count() == 2
    assert asked <= 4
    assert proving.prove(campaign)["disagreements"] == []


@pytest.mark.parametrize(("code", "most"), [(LIMIT_OF_PHONE, 3600), (TOO_OFTEN, 60)])
def test_one_phone_that_has_its_limit_is_tried_ever_more_seldom(
    application: Application, group: ContactGroup, code: str, most: int
) -> None:
    campaign = launched(application, group, ["Ann"])
    Batch.objects.update(attempt=20)
    claimed = departed(campaign)
    assert claimed is not None

    failed_requests.settle_error(campaign.pk, claimed, refused(code))

    waits = Batch.objects.get().not_before
    assert waits is not None
    assert (waits - database_clock.now()).total_seconds() == pytest.approx(most, abs=5)


def test_a_phone_is_limited_since_it_was_first_said(application: Application, group: ContactGroup) -> None:
    campaign = launched(application, group, ["Ann"])
    said = []

    for _ in range(2):
        claimed = departed(campaign)
        assert claimed is not None
        failed_requests.settle_error(campaign.pk, claimed, refused(LIMIT_OF_PHONE))
        said.append(Batch.objects.get().limited_since)
        Batch.objects.update(not_before=None)

    assert said[0] is not None
    assert abs(database_clock.now() - said[0]) < dt.timedelta(seconds=5)
    assert said[1] == said[0]


@pytest.mark.parametrize(
    ("hours", "code_before", "state"),
    [
        (27, LIMIT_OF_PHONE, MessageState.REJECTED),
        (25, LIMIT_OF_PHONE, MessageState.QUEUED),
        (27, TOO_OFTEN, MessageState.QUEUED),  # it has waited as long, but not for this
    ],
)
def test_one_phone_that_has_its_limit_is_given_up_after_a_day(
    application: Application, group: ContactGroup, hours: int, code_before: str, state: MessageState
) -> None:
    campaign = launched(application, group, ["Ann"])
    Batch.objects.update(attempt=40)
    first = departed(campaign)
    assert first is not None
    failed_requests.settle_error(campaign.pk, first, refused(code_before))
    Batch.objects.update(not_before=None, limited_since=F("limited_since") - dt.timedelta(hours=hours))
    again = departed(campaign)
    assert again is not None

    with CaptureQueriesContext(connection) as asked:
        failed_requests.settle_error(campaign.pk, again, refused(LIMIT_OF_PHONE))

    assert not [each["sql"] for each in asked if "summary" in each["sql"]]  # a campaign has very many requests
    assert Message.objects.get().state == state
    assert proving.prove(Campaign.objects.get())["disagreements"] == []
    advice = [advice for _reason, _n, advice in insights.failure_reasons(campaign)]
    assert advice == ([ON_ANOTHER_DAY] if state == MessageState.REJECTED else [])


class NotTriedTests:
    """Only the time in which a phone with its limit was tried counts."""

    @pytest.fixture
    def limited(self, application: Application, group: ContactGroup) -> Campaign:
        """After 25 hours of trying."""
        campaign = launched(application, group, ["Ann"])
        Batch.objects.update(attempt=40)
        self.tried(campaign)
        Batch.objects.update(limited_since=F("limited_since") - dt.timedelta(hours=25))
        return campaign

    def tried(self, campaign: Campaign) -> None:
        claimed = departed(campaign)
        assert claimed is not None
        failed_requests.settle_error(campaign.pk, claimed, refused(LIMIT_OF_PHONE))

    def hours(self) -> int:
        since = Batch.objects.get().limited_since
        assert since is not None
        return round((database_clock.now() - since) / dt.timedelta(hours=1))

    def test_sent_again_by_a_person_it_is_tried_as_long_as_at_first(self, limited: Campaign) -> None:
        Batch.objects.update(not_before=None)
        claimed = departed(limited)
        assert claimed is not None
        failed_requests.settle_error(limited.pk, claimed, OutcomeUnknown("lost", interface="sendSms"))
        Batch.objects.update(limited_since=F("limited_since") - dt.timedelta(days=4))

        assert resolving.send_again(limited.pk, reason="they asked for it") == 1
        self.tried(limited)

        assert Message.objects.get().state == MessageState.QUEUED
        assert self.hours() == 0

    def test_a_pause_does_not_count(self, limited: Campaign) -> None:
        days = dt.timedelta(days=3)
        Batch.objects.update(not_before=database_clock.now() - days, limited_since=F("limited_since") - days)

        self.tried(limited)

        assert Message.objects.get().state == MessageState.QUEUED
        assert self.hours() == 25

    @pytest.mark.parametrize("how", ["is held", "is given back"])
    def test_nor_does_a_hold_that_its_own_request_meets(self, limited: Campaign, how: str) -> None:
        Batch.objects.update(not_before=database_clock.now())
        claimed = departed(limited) if how == "is held" else claiming.claim(limited, "token")
        assert isinstance(claimed, Claim)
        if how == "is held":
            failed_requests.settle_error(limited.pk, claimed, refused("-10"))
            AccountHold.objects.all().delete()
            Campaign.objects.update(state=CampaignState.RUNNING, account_hold=None)
        else:
            assert claiming.release(claimed, "stopped")
        days = dt.timedelta(days=3)
        Batch.objects.update(not_before=F("not_before") - days, limited_since=F("limited_since") - days)

        self.tried(limited)

        assert Message.objects.get().state == MessageState.QUEUED
        assert self.hours() == 25

    def test_closed_hours_do_not_count(self, limited: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        now = database_clock.now()
        Batch.objects.update(not_before=now)

        class Closed(gates.Gate):
            kind = "hours"

            def look(self, rows: Sequence[gates.Queued]) -> gates.Verdict:
                opens = now + dt.timedelta(hours=16)
                return gates.Verdict(waiting={row.message_id: gates.Later(opens, "hours:") for row in rows})

        monkeypatch.setattr(gates, "standing", lambda campaign: [Closed()])
        assert claiming.claim(limited, "token") is None

        assert self.hours() == 25 - 16

    def test_who_was_behind_others_is_given_up_all_the_same(self, limited: Campaign) -> None:
        late = dt.timedelta(minutes=5)
        Batch.objects.update(
            not_before=database_clock.now() - late, limited_since=F("limited_since") - dt.timedelta(hours=2)
        )

        self.tried(limited)

        assert Message.objects.get().state == MessageState.REJECTED

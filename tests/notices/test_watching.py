"""What does not happen is told once: an answer, a sign of life, a callback."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry, PushedBody, WorkerHeartbeat
from laaffic_console.notices.models import Notice, Watched
from laaffic_console.notices.services import handing_out, watching
from messaging.models import Campaign
from tests.notices.conftest import Person

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def owner(person: Person) -> User:
    return person("owner", "Administrator")


def look() -> list[tuple[str, str]]:
    watching.look(timezone.now())
    handing_out.hand_out()
    return [(one.user.username, one.words) for one in Notice.objects.order_by("pk")]


def entry(state: str, ago: dt.timedelta, kind: str = "campaign", key: int | None = 1) -> LedgerEntry:
    at = timezone.now() - ago
    return LedgerEntry.objects.create(
        interface="sendSms", about_kind=kind, about_id=key, state=state, prepared_at=at, left_at=at
    )


class UnknownTests:
    def test_it_is_told_after_an_hour_to_who_launched_it_and_who_may_settle_it(
        self, application: Application, person: Person
    ) -> None:
        ann, _bob, _cem = person("ann", "Operator"), person("bob", "Approver"), person("cem", "Operator")
        campaign = Campaign.objects.create(name="Autumn", application=application, text="Hi", launched_by=ann)
        young = entry(EntryState.UNKNOWN, HOUR / 2, key=campaign.pk)
        assert not look()

        LedgerEntry.objects.filter(pk=young.pk).update(prepared_at=timezone.now() - 2 * HOUR)

        said = "“Autumn”: what happened to a request is unknown for more than an hour"
        assert look() == [("ann", said), ("bob", said)]

    def test_once_until_it_is_over(self, person: Person) -> None:
        person("bob", "Approver")
        lost = entry(EntryState.UNKNOWN, 2 * HOUR, kind="SIP call", key=4)
        assert len(look()) == len(look()) == 1

        LedgerEntry.objects.filter(pk=lost.pk).update(state=EntryState.REFUSED)
        look()

        assert not Watched.objects.exists()


class WorkerTests:
    def silent(self, host: str, ago: dt.timedelta, **more: Any) -> None:
        at = timezone.now() - ago
        WorkerHeartbeat.objects.create(worker=f"{host}-{at}", host=host, pid=1, started_at=at, beat_at=at, **more)

    def test_a_silent_one_is_told(self, owner: User, person: Person) -> None:
        person("ann", "Operator")
        self.silent("east", HOUR / 6)

        assert look() == [("owner", "The worker on east is silent")]

    def test_not_one_that_was_stopped_or_started_anew(self, owner: User) -> None:
        self.silent("east", HOUR / 6, stopped_at=timezone.now())
        self.silent("west", HOUR / 6)
        self.silent("west", dt.timedelta(seconds=3))

        assert not look()


class CallbackTests:
    @pytest.fixture(autouse=True)
    def _pushed(self, settings: Any) -> None:
        settings.LAAFFIC_PUSH_TOKENS = ["a-token-of-a-test"]

    def pushed(self, ago: dt.timedelta) -> None:
        PushedBody.objects.create(kind="sms_report", body="{}", received_at=timezone.now() - ago)

    def test_nothing_since_what_was_accepted_an_hour_ago(self, owner: User) -> None:
        self.pushed(3 * HOUR)
        entry(EntryState.ACCEPTED, 2 * HOUR)

        [(who, said)] = look()
        assert who == "owner"
        assert "no callback has come" in said

    def test_nothing_since_then_however_many_left_lately(self, owner: User) -> None:
        self.pushed(3 * HOUR)
        entry(EntryState.ACCEPTED, 2 * HOUR)
        for _request in range(200):
            entry(EntryState.ACCEPTED, HOUR / 6)

        assert [who for who, _said in look()] == ["owner"]

    def test_what_left_an_hour_ago_is_found_without_reading_all_that_came_since(self, owner: User) -> None:
        self.pushed(3 * HOUR)
        for minutes in (179, 130, 61, 59, 30, 1):
            entry(EntryState.ACCEPTED, minutes * HOUR / 60)

        first, _second, last_old, *_young = LedgerEntry.objects.order_by("pk").values_list("pk", flat=True)
        assert watching._last_prepared_before(timezone.now() - HOUR) == last_old
        assert watching._last_prepared_before(timezone.now() - 3 * HOUR) < first

    def test_not_while_they_come_or_nothing_is_sent(self, owner: User) -> None:
        self.pushed(HOUR)
        entry(EntryState.ACCEPTED, 2 * HOUR)
        entry(EntryState.ACCEPTED, HOUR / 2)
        entry(EntryState.ACCEPTED, 2 * HOUR, kind="SIP phones")

        assert not look()

    def test_not_where_none_are_taken(self, owner: User, settings: Any) -> None:
        settings.LAAFFIC_PUSH_TOKENS = []
        entry(EntryState.ACCEPTED, 2 * HOUR)

        assert not look()


def test_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[dt.datetime] = []
    monkeypatch.setattr(watching, "look", looked.append)

    for _turn in range(3):
        watching.look_if_due()
    assert len(looked) == 1

    Watched.objects.update(since=timezone.now() - dt.timedelta(seconds=61))
    watching.look_if_due()
    assert len(looked) == 2


@pytest.mark.django_db
def test_of_two_workers_one_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    monkeypatch.setattr(watching, "look", looked.append)

    for _worker in range(2):
        watching.look_if_due()

    assert len(looked) == 1

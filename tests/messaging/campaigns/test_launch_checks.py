"""What speaks against a launch: each is said by its key, and how much it weighs."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, WorkerHeartbeat
from laaffic_console.kit.audit import acts
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Calendar, Campaign, Contact, ContactGroup, GroupMembership, SuppressionEntry
from messaging.services.audience import audience_counting, audience_counts
from messaging.services.budgets import budgets
from messaging.services.campaigns import drafts, launch_checks
from messaging.services.contacts import pastes
from messaging.services.forecast import forecast
from messaging.services.launching import checks
from messaging.services.launching.checks import Check, Level
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 4, time_zones="Asia/Kolkata")
    return drafts.create(name="Autumn", application=application, sender_id="", text="Hi", groups=[group])


def found(draft: Campaign, **changed: Any) -> dict[str, Check]:
    Campaign.objects.filter(pk=draft.pk).update(**changed)
    campaign = Campaign.objects.get(pk=draft.pk)
    return {check.key: check for check in launch_checks.of(campaign, forecast.of(campaign))}


def test_a_held_account_is_a_note(draft: Campaign) -> None:
    AccountHold.objects.create(scope="account", sentence="No funds.", placed_at=timezone.now(), probe_wait=15)

    said = found(draft)["account"]

    assert (said.level, "No funds. It will be held" in said.sentence) == (Level.NOTE, True)


def test_that_no_worker_is_alive_is_a_note(draft: Campaign) -> None:
    assert found(draft)["workers"].level == Level.NOTE

    now = timezone.now()
    WorkerHeartbeat.objects.create(worker="w", host="h", pid=1, started_at=now, beat_at=now)

    assert "workers" not in found(draft)


def test_a_text_that_cannot_be_sent_stops_it(draft: Campaign) -> None:
    assert found(draft, text="")["content"].level == Level.STOP


def test_that_nobody_was_chosen_is_said_once(draft: Campaign) -> None:
    draft.groups.set([ContactGroup.objects.create(name="Empty")])
    assert "These groups are empty" in found(draft)["content"].sentence
    assert "nobody" not in found(draft)

    draft.groups.clear()
    assert "Choose who gets it" in found(draft)["content"].sentence
    assert "nobody" not in found(draft)


def test_that_all_who_were_chosen_are_left_out_stops_it(draft: Campaign, group: ContactGroup) -> None:
    draft.excluded_groups.add(group)

    assert found(draft)["nobody"].level == Level.STOP


def test_a_time_that_has_passed_wants_a_tick(draft: Campaign) -> None:
    assert found(draft, scheduled_at=timezone.now() - dt.timedelta(minutes=1))["late"].level == Level.TICK
    assert "late" not in found(draft, scheduled_at=timezone.now() + dt.timedelta(hours=1))


def test_an_end_that_has_passed_stops_it(draft: Campaign) -> None:
    said = found(draft, latest_end=timezone.now() - dt.timedelta(minutes=1))["end"]
    assert (said.level, "begin after its latest end" in said.sentence) == (Level.STOP, True)

    assert "end" not in found(draft, latest_end=timezone.now() + dt.timedelta(hours=1))


def nine_in_india() -> dt.datetime:
    return (timezone.now() + dt.timedelta(days=2)).replace(hour=3, minute=30, second=0, microsecond=0)


def test_an_end_before_their_own_time_stops_it(draft: Campaign) -> None:
    at_nine = (timezone.now() + dt.timedelta(days=2)).replace(
        hour=3, minute=30, second=0, microsecond=0
    )  # 9:00 in India

    assert found(draft, local_time=f"{at_nine:%Y-%m-%d} 09:00", latest_end=at_nine)["end"].level == Level.STOP


def test_an_end_before_the_last_of_them_wants_a_tick(draft: Campaign, group: ContactGroup) -> None:
    made = Contact.objects.create(number="12125550123", country="US", time_zones="America/New_York")
    GroupMembership.objects.create(contact=made, group=group)
    at_nine = (timezone.now() + dt.timedelta(days=2)).replace(
        hour=3, minute=30, second=0, microsecond=0
    )  # 9:00 in India

    said = found(draft, local_time=f"{at_nine:%Y-%m-%d} 09:00", latest_end=at_nine + dt.timedelta(hours=1))["end"]

    assert said.level == Level.TICK
    assert said.sentence.startswith("1 recipient in United States")


def test_an_end_before_its_hours_wants_a_tick(draft: Campaign) -> None:
    day = (timezone.now() + dt.timedelta(days=3)).strftime("%a").lower()
    hours = Calendar.objects.create(name="Later", hours=f"{day} 09:00-10:00")

    said = found(draft, calendar=hours, latest_end=timezone.now() + dt.timedelta(hours=1))["end"]

    assert (said.level, said.sentence.startswith("4 recipients in India")) == (Level.TICK, True)


@pytest.mark.parametrize(("few", "is_all"), [("4", True), ("9", True), ("1", False), ("100%", False)])
def test_few_first_that_are_everybody_want_a_tick(draft: Campaign, few: str, is_all: bool) -> None:
    assert ("canary" in found(draft, canary=few)) is is_all  # 100% is no size: its content says so


def test_a_budget_that_does_not_suffice_wants_a_tick(draft: Campaign) -> None:
    budgets.put(draft.application, per="day", limit=Decimal(3))

    [said] = [check for key, check in found(draft).items() if key.startswith("budget:")]

    assert (said.level, said.moves) == (Level.TICK, True)
    assert "What fits leaves, then it is held" in said.sentence


def test_a_budget_of_money_cannot_be_looked_at_without_a_price(draft: Campaign) -> None:
    budgets.put(draft.application, per="day", limit=Decimal(3), currency="USD")

    [said] = [check for key, check in found(draft).items() if key.startswith("budget_price:")]

    assert (said.level, "for India (IN): no price" in said.sentence) == (Level.NOTE, True)


class GivenNumbersTests:
    GIVEN = ("+44 7400 123456", "nonsense", "447400123456", "+91 98765 4321O", "12", "13")

    def test_which_are_none_and_which_are_there_twice(self, draft: Campaign) -> None:
        said = found(draft, extra_numbers=self.GIVEN)["invalid"].sentence

        assert said == (
            "4 of the given numbers are invalid, and are left out. "
            "“nonsense” is not a phone number: use digits, with + or 00 before the country code. "
            "“+91 98765 4321O” is not a phone number: use digits, with + or 00 before the country code. "
            "“12”: 2 digits; a number has 7 to 15 with its country code. And 1 more invalid number. "
            "1 of the given numbers is there twice, and gets it once: “447400123456”."
        )

    def test_who_sees_no_whole_number_sees_none_here(self, draft: Campaign) -> None:
        with acts.acting(lambda: acts.Actor(1, "asha", sees_numbers=False)):
            said = found(draft, extra_numbers=self.GIVEN)["invalid"].sentence

        assert "4474•••••456" in said
        assert "98765" not in said

    @pytest.mark.parametrize("are_pasted", [False, True])
    def test_of_whom_a_field_of_the_text_says_nothing(self, draft: Campaign, are_pasted: bool) -> None:
        """A number that is nobody's contact has no name; one that is has its contact's."""
        Contact.objects.update(name="Ann")
        of_ann, of_nobody = Contact.objects.values_list("number", flat=True)[0], "447400123456"
        given = [f"+{of_ann}", f"+{of_nobody}", "nonsense"]
        numbers = {"paste": pastes.from_lines(given)} if are_pasted else {"extra_numbers": given}

        said = found(draft, text="Hi {{name}}", **numbers)["field:name"].sentence

        assert said.startswith("1 of the first recipients has no name.")

    def test_of_what_was_pasted_too(self, draft: Campaign) -> None:
        paste = pastes.from_lines(["+44 7400 123456", "12345678", "447400123456"])

        said = found(draft, paste=paste)["invalid"].sentence

        assert said.startswith("1 of the given numbers is invalid, and is left out. Line 2: “12345678”: ")


class RequireTests:
    CHECKS = (
        Check("a", Level.TICK, "Tick a."),
        Check("b", Level.REASON, "Reason b."),
        Check("c", Level.NOTE, "Note c."),
    )

    def test_ticks_and_reasons_are_asked_for_and_reasons_kept(self) -> None:
        assert checks.require(self.CHECKS, ticked={"a"}, reasons={"b": " so "}, sentences=None) == {"b": "so"}

    @pytest.mark.parametrize(
        ("ticked", "reasons", "sentences", "missing"),
        [
            (set(), {"b": "so"}, None, ["Tick a."]),
            ({"a"}, {"b": "  "}, None, ["Reason b. Say why it is sent anyway."]),
            ({"a"}, {"b": "so"}, {"a": "Tick an older a.", "b": "Reason b."}, ["Tick a."]),
            ({"a"}, {"b": "so"}, {"a": "Tick a.", "b": "?"}, ["Reason b. Say why it is sent anyway."]),
        ],
    )
    def test_what_was_given_to_another_sentence_does_not_count(
        self, ticked: set[str], reasons: dict[str, str], sentences: dict[str, str] | None, missing: list[str]
    ) -> None:
        with pytest.raises(checks.NotSeen) as refused:
            checks.require(self.CHECKS, ticked=ticked, reasons=reasons, sentences=sentences)

        assert refused.value.sentences == missing

    def test_no_tick_goes_past_a_stop(self) -> None:
        with pytest.raises(checks.NotSeen):
            checks.require([Check("d", Level.STOP, "Stop.")], ticked={"d"}, reasons={"d": "all the same"})


class ShellTests:
    """`campaign launch` asks nothing: what a page would have asked is told beside its answer."""

    @pytest.fixture(autouse=True)
    def _account(self, sandbox: RunningSandbox) -> None:
        pass

    def launched(self, draft: Campaign, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], list[str]]:
        call_command("campaign", "launch", str(draft.pk), "--json")
        said = capsys.readouterr()
        by_day = [note for note in said.err.splitlines() if "at night" not in note]  # whenever the tests run
        return json.loads(said.out), by_day

    def test_few_first_that_are_everybody(self, draft: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
        Campaign.objects.filter(pk=draft.pk).update(canary="5")

        document, said = self.launched(draft, capsys)

        assert document == {"id": draft.pk, "state": "running"}
        assert said == [
            "Note: “A few first” covers all of its 4 recipients: everything is sent at once, nothing waits."
        ]

    def test_what_a_page_would_not_ask_is_not_told(self, draft: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
        Campaign.objects.filter(pk=draft.pk).update(canary="2")

        assert self.launched(draft, capsys) == ({"id": draft.pk, "state": "running"}, [])

    def test_once(self, draft: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
        Campaign.objects.filter(pk=draft.pk).update(canary="5")
        self.launched(draft, capsys)

        assert self.launched(draft, capsys)[1] == []

    def test_that_nobody_would_get_it(self, draft: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
        numbers = Contact.objects.values_list("number", flat=True)
        SuppressionEntry.objects.bulk_create(SuppressionEntry(number=number, channel="sms") for number in numbers)

        [said] = self.launched(draft, capsys)[1]

        assert said.startswith("Note: Nobody would get it")

    def test_a_count_that_takes_long_is_not_waited_for(
        self, draft: Campaign, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(launch_checks, "MOST_SECONDS", 0)
        monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0)
        monkeypatch.setattr(audience_counting, "STRETCH", 1)

        document, [said] = self.launched(draft, capsys)

        assert document["state"] == "running"
        assert "are not all counted yet" in said

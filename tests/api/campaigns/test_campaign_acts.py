"""Campaigns taken back, tested, paced, let go, followed and settled from a script, as on their pages."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.utils import timezone

from laaffic_console.api.handling import idempotency
from laaffic_console.api.models import RepeatableRequest
from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.kit.words.people import APPROVER, OPERATOR, VIEWER
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Batch,
    Calendar,
    Campaign,
    Canary,
    ContactGroup,
    Message,
    MessageEvent,
    MessageState,
    OutcomeTally,
    SuppressionEntry,
)
from messaging.services.audience import audience
from messaging.services.campaigns import canaries, follow_ups, starting
from messaging.services.reports import doubtful_amounts
from tests.api.conftest import Api
from tests.messaging.conftest import LoseAnswers, add_contacts, events_saying, lose_answers, point_at

__all__ = ["lose_answers"]

pytestmark = pytest.mark.django_db

DRAFT = {"name": "Spring", "application": "4luaKsL2", "text": "Sale", "groups": ["customers"]}
NUMBER = "+919876599999"


@pytest.fixture
def draft(api: Api, application: Application, group: ContactGroup) -> int:
    add_contacts(group, 4)
    made: int = api("POST", "campaigns", DRAFT).json()["id"]
    return made


@pytest.fixture
def one_with(api_with: Callable[..., Api]) -> Callable[..., Api]:
    """A client of somebody with a role, or with just these rights."""

    def made(role: str = "", *rights: str) -> Api:
        user = User.objects.create_user(f"one {role}{len(rights)}")
        user.groups.set(Group.objects.filter(name=role))
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        cache.clear()
        return api_with(user=user)

    return made


def frozen(pk: int) -> Campaign:
    while audience.freeze_chunk(pk):
        pass
    return Campaign.objects.get(pk=pk)


class TakeBackTests:
    def test_within_its_seconds_and_once_more(self, api: Api, draft: int) -> None:
        launched = api("POST", f"campaigns/{draft}/launch", {"undo_seconds": 60})
        assert launched.json()["state"] == "scheduled"
        until = dt.datetime.fromisoformat(api("GET", f"campaigns/{draft}").json()["undo_until"])
        assert until > timezone.now()

        taken = [api("POST", f"campaigns/{draft}/take-back") for _time in range(2)]

        assert [answer.json() for answer in taken] == [{"id": draft, "state": "draft"}] * 2
        assert events_saying("Taken back", Campaign.objects.get().events).count() == 1
        assert not Message.objects.exists()

    def test_what_has_begun_is_not_taken_back(self, api: Api, draft: int) -> None:
        api("POST", f"campaigns/{draft}/launch", {})

        refused = api("POST", f"campaigns/{draft}/take-back")

        assert (refused.status_code, Campaign.objects.get().state) == (409, "running")

    @pytest.mark.parametrize("seconds", [-1, 61, "soon", None, 10**30])
    def test_no_other_seconds(self, api: Api, draft: int, seconds: Any) -> None:
        refused = api("POST", f"campaigns/{draft}/launch", {"undo_seconds": seconds})

        assert (refused.status_code, Campaign.objects.get().state) == (400, "draft")
        assert refused.json()["errors"][0]["field"] == "undo_seconds"


class TestMessageTests:
    def test_one_number_gets_it_once(self, api: Api, draft: int) -> None:
        answers = [api("POST", f"campaigns/{draft}/test", {"number": NUMBER}, Idempotency_Key="a") for _time in "ab"]

        assert [answer.status_code for answer in answers] == [202, 202], answers[0].content
        assert answers[0].json() == answers[1].json()
        test = Campaign.objects.get(kind="test")
        assert (answers[0].json(), test.extra_numbers) == ({"id": test.pk, "state": "running"}, [NUMBER])
        assert Campaign.objects.get(pk=draft).state == "draft"

    def test_the_same_before_it_has_left_is_that_test(self, api: Api, draft: int, application: Application) -> None:
        first = api("POST", f"campaigns/{draft}/test", {"number": NUMBER}).json()

        assert api("POST", f"campaigns/{draft}/test", {"number": NUMBER}).json()["id"] == first["id"]
        assert api("POST", f"campaigns/{draft}/test", {"number": f"{NUMBER[:-1]}7"}).json()["id"] != first["id"]
        about = {"about_kind": "campaign", "about_id": first["id"], "prepared_at": timezone.now()}
        LedgerEntry.objects.create(application=application, state=EntryState.ACCEPTED, **about)
        Campaign.objects.filter(pk=first["id"]).update(audience=Campaign.Audience.FROZEN)  # with no message left in it
        assert api("POST", f"campaigns/{draft}/test", {"number": NUMBER}).json()["id"] != first["id"]

    def test_the_same_again_wants_a_reason(self, api: Api, draft: int, application: Application) -> None:
        first = api("POST", f"campaigns/{draft}/test", {"number": NUMBER}).json()
        assert "without an Idempotency-Key" in first["note"]
        about = {"about_kind": "campaign", "about_id": first["id"], "prepared_at": timezone.now()}
        LedgerEntry.objects.create(application=application, state=EntryState.UNKNOWN, **about)

        refused = api("POST", f"campaigns/{draft}/test", {"number": NUMBER})

        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "again"), refused.content
        assert Campaign.objects.filter(kind="test").count() == 1
        assert api("POST", f"campaigns/{draft}/test", {"number": NUMBER, "again": "lost"}).status_code == 202

    @pytest.mark.parametrize("number", ["12", "", None, ["919876543210"], "9" * 61])
    def test_an_invalid_number(self, api: Api, draft: int, number: Any) -> None:
        refused = api("POST", f"campaigns/{draft}/test", {"number": number})

        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "number")
        assert Campaign.objects.count() == 1

    def test_it_takes_the_right_to_see_contacts(self, one_with: Callable[..., Api], draft: int) -> None:
        rights = ("view_campaign", "launch_campaign")

        assert one_with("", *rights)("POST", f"campaigns/{draft}/test", {"number": NUMBER}).status_code == 403
        others = one_with("", *rights, "view_contact")
        assert others("POST", f"campaigns/{draft}/test", {"number": NUMBER}).status_code == 202


class RunningTests:
    @pytest.fixture
    def running(self, api: Api, draft: int) -> int:
        api("POST", f"campaigns/{draft}/launch", {})
        return draft

    def test_another_pace(self, api: Api, running: int) -> None:
        answers = [api("POST", f"campaigns/{running}/pace", {"rate_per_second": 7}) for _time in range(2)]

        assert [answer.json() for answer in answers] == [{"id": running, "state": "running", "rate_per_second": 7}] * 2
        assert events_saying("Rate changed", Campaign.objects.get().events).count() == 1
        assert api("POST", f"campaigns/{running}/pace", {"rate_per_second": None}).json()["rate_per_second"] is None
        for wrong in ({}, {"rate_per_second": 0}, {"rate_per_second": 10**20}):
            assert api("POST", f"campaigns/{running}/pace", wrong).status_code == 400
        api("POST", f"campaigns/{running}/cancel")
        assert api("POST", f"campaigns/{running}/pace", {"rate_per_second": 7}).status_code == 409

    def test_outside_its_hours_by_an_approvers_word(self, one_with: Callable[..., Api], running: int) -> None:
        word = {"reason": "the parcel is there"}
        approver = one_with(APPROVER)
        nothing = approver("POST", f"campaigns/{running}/outside-hours", word)
        assert (nothing.status_code, Campaign.objects.get().outside_hours) == (409, False)  # it has no hours
        Campaign.objects.update(calendar=Calendar.objects.create(name="Days", hours="mon-sun 09:00-20:00"))
        refused = one_with(OPERATOR)("POST", f"campaigns/{running}/outside-hours", word)
        assert (refused.status_code, Campaign.objects.get().outside_hours) == (403, False)
        assert approver("POST", f"campaigns/{running}/outside-hours", {"reason": " "}).status_code == 400
        assert not Campaign.objects.get().outside_hours

        given = [approver("POST", f"campaigns/{running}/outside-hours", word) for _time in range(2)]

        assert [answer.json() for answer in given] == [{"id": running, "state": "running"}] * 2
        assert Campaign.objects.get().outside_hours
        assert events_saying("the parcel is there", Campaign.objects.get().events).count() == 1
        Campaign.objects.update(state="finished")
        assert approver("POST", f"campaigns/{running}/outside-hours", word).json()["state"] == "finished"

    def test_only_what_is_on_its_way_is_sent_outside_its_hours(self, api: Api, draft: int) -> None:
        assert api("POST", f"campaigns/{draft}/outside-hours", {"reason": "x"}).status_code == 409
        assert not Campaign.objects.get().outside_hours

    def test_what_sends_no_few_first_has_no_rest(self, api: Api, running: int) -> None:
        assert api("POST", f"campaigns/{running}/go-on", {"reason": "they wait"}).status_code == 409

    def test_on_without_waiting_for_the_few(self, api: Api, draft: int) -> None:
        Campaign.objects.update(canary="1")
        starting.launch(draft, by=None)
        frozen(draft)
        canaries.follow()
        assert api("POST", f"campaigns/{draft}/go-on", {"reason": ""}).status_code == 400
        assert Canary.objects.get().passed_at is None

        given = [api("POST", f"campaigns/{draft}/go-on", {"reason": "they wait"}) for _time in range(2)]

        assert [answer.json() for answer in given] == [{"id": draft, "state": "running"}] * 2
        passed = Canary.objects.get()
        assert passed.passed_by is not None
        assert passed.passed_by.username == "shop"
        assert events_saying("they wait", Campaign.objects.get().events).count() == 1
        Campaign.objects.update(state="finished")
        assert api("POST", f"campaigns/{draft}/go-on", {"reason": "they wait"}).status_code == 200


class AfterwardsTests:
    @pytest.fixture
    def over(self, api: Api, draft: int) -> int:
        """Two have failed, one with a number that is not in use, and two have it."""
        api("POST", f"campaigns/{draft}/launch", {})
        frozen(draft)
        failed = dict(enumerate(["absent subscriber", "-5 wrong number"]))
        for place, message in enumerate(Message.objects.order_by("pk")):
            state = MessageState.UNDELIVERED if place in failed else MessageState.DELIVERED
            reason = failed.get(place, "")
            Message.objects.filter(pk=message.pk).update(state=state, reason=reason)
            if reason:
                OutcomeTally.objects.create(campaign_id=draft, state=state, reason=reason, messages=1)
        Campaign.objects.update(state="finished")
        return draft

    def test_a_copy(self, api: Api, over: int) -> None:
        made = [api("POST", f"campaigns/{over}/copy", Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in made] == [201, 201]
        assert made[0].json() == made[1].json() == api("GET", f"campaigns/{made[0].json()['id']}").json()
        assert Campaign.objects.count() == 2
        assert (made[0].json()["state"], made[0].json()["groups"]) == ("draft", ["customers"])
        assert AuditEntry.objects.filter(kind="added", object_id=str(made[0].json()["id"])).count() == 1

    def test_a_process_that_dies_with_the_draft_made_leaves_that_one_alone(
        self, api: Api, over: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Repeated with its key, the request is answered with the draft; two would be launched by two people."""

        class KilledError(BaseException):
            pass

        def killed(*_given: Any, **_more: Any) -> Any:
            raise KilledError

        with monkeypatch.context() as dying:
            dying.setattr(idempotency, "_keep", killed)
            dying.setattr(
                idempotency, "_give_back", lambda *_given, **_more: None
            )  # a killed process tidies nothing up
            with pytest.raises(KilledError):
                api("POST", f"campaigns/{over}/copy", Idempotency_Key="a")
        assert api("POST", f"campaigns/{over}/copy", Idempotency_Key="a").status_code == 409  # it may still be at it
        RepeatableRequest.objects.update(held_until=timezone.now())

        again = api("POST", f"campaigns/{over}/copy", Idempotency_Key="a")

        assert again.status_code == 201
        assert again.json()["id"] == Campaign.objects.exclude(pk=over).get().pk

    def test_one_that_took_too_long_makes_no_second_draft(
        self, api: Api, over: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = follow_ups.copy

        def slow(*given: Any, **more: Any) -> Campaign:
            RepeatableRequest.objects.update(holder="another")  # which took over in the meantime
            return made(*given, **more)

        monkeypatch.setattr(follow_ups, "copy", slow)

        assert api("POST", f"campaigns/{over}/copy", Idempotency_Key="a").status_code == 409
        assert Campaign.objects.count() == 1

    def test_the_failed_once_more_by_their_reasons(self, api: Api, over: int) -> None:
        said = api("GET", f"campaigns/{over}/retry").json()
        assert {one["reason"]: one["messages"] for one in said["reasons"]} == {
            "absent subscriber": 1,
            "-5 wrong number": 1,
        }

        made = api("POST", f"campaigns/{over}/retry", {"reasons": ["absent subscriber"]})

        assert made.status_code == 201, made.content
        first = Message.objects.filter(campaign=over).earliest("pk")
        starting.launch(made.json()["id"])
        frozen(made.json()["id"])
        assert [one.number for one in Message.objects.exclude(campaign=over)] == [first.number]
        assert api("POST", f"campaigns/{over}/retry", {"reasons": ["another"]}).status_code == 409
        assert api("POST", f"campaigns/{over}/retry", {"reasons": []}).status_code == 400

    @pytest.mark.parametrize(("act", "name"), [("retry", "reasons"), ("suppress-not-in-use", "but")])
    def test_a_misspelt_reason_does_nothing(
        self, api: Api, over: int, monkeypatch: pytest.MonkeyPatch, act: str, name: str
    ) -> None:
        monkeypatch.setattr("messaging.services.campaigns.follow_ups.is_not_in_use", lambda reason: "wrong" in reason)

        refused = api("POST", f"campaigns/{over}/{act}", {name: ["absent subscriber", "-5 wrong nummer"]})

        assert (refused.status_code, "for the reason “-5 wrong nummer”" in refused.json()["detail"]) == (409, True)
        assert not SuppressionEntry.objects.exists()
        assert Campaign.objects.count() == 1

    def test_new_contacts(self, api: Api, over: int, group: ContactGroup) -> None:
        [joined] = add_contacts(group, 1, first=919800000000)

        made = api("POST", f"campaigns/{over}/new-contacts")

        assert made.status_code == 201, made.content
        starting.launch(made.json()["id"])
        frozen(made.json()["id"])
        assert [one.number for one in Message.objects.exclude(campaign=over)] == [joined.number]

    def test_those_who_have_not_replied(self, api: Api, one_with: Callable[..., Api], over: int) -> None:
        Batch.objects.filter(campaign=over).update(delivered=2, undelivered=2, queued=0)
        assert one_with("", "view_campaign", "add_campaign")("POST", f"campaigns/{over}/not-replied").status_code == 403

        made = [api("POST", f"campaigns/{over}/not-replied", Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in made] == [201, 201]
        assert made[0].json()["audiences"] == [f"Not replied to {made[0].json()['name'][:-13]} ({over})"]
        starting.launch(made[0].json()["id"])
        frozen(made[0].json()["id"])
        got = Message.objects.filter(campaign=over, state=MessageState.DELIVERED)
        assert {one.number for one in Message.objects.exclude(campaign=over)} == {one.number for one in got}

    @pytest.mark.parametrize("act", ["retry", "new-contacts", "suppress-not-in-use"])
    def test_not_while_it_runs(self, api: Api, over: int, act: str) -> None:
        Campaign.objects.update(state="running")

        assert api("POST", f"campaigns/{over}/{act}", {} if act != "new-contacts" else None).status_code == 409
        assert Campaign.objects.count() == 1
        assert not SuppressionEntry.objects.exists()

    def test_numbers_that_are_not_in_use_are_suppressed(
        self, api: Api, one_with: Callable[..., Api], over: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("messaging.services.campaigns.follow_ups.is_not_in_use", lambda reason: "wrong" in reason)
        rights = ("view_campaign", "add_campaign")
        assert one_with("", *rights)("POST", f"campaigns/{over}/suppress-not-in-use", {}).status_code == 403
        but = {"but": ["-5 wrong number"]}
        assert api("POST", f"campaigns/{over}/suppress-not-in-use", but).json() == {"added": 0, "already_there": 0}

        said = [api("POST", f"campaigns/{over}/suppress-not-in-use", {}).json() for _time in range(2)]

        assert said == [{"added": 1, "already_there": 0}, {"added": 0, "already_there": 1}]
        second = Message.objects.order_by("pk")[1]
        assert [entry.number for entry in SuppressionEntry.objects.all()] == [second.number]


class ProofTests:
    def test_proved_once_for_a_key_by_who_may_look(
        self, api: Api, one_with: Callable[..., Api], draft: int, person: User
    ) -> None:
        refused = api("POST", f"campaigns/{draft}/proofs")
        assert (refused.status_code, "launch it first" in refused.json()["detail"]) == (409, True)
        api("POST", f"campaigns/{draft}/launch", {})
        frozen(draft)

        made = [one_with(VIEWER)("POST", f"campaigns/{draft}/proofs", Idempotency_Key="a")]
        made += [api("POST", f"campaigns/{draft}/proofs", Idempotency_Key="b") for _time in range(2)]

        assert [answer.status_code for answer in made] == [202] * 3, made[0].content
        assert made[1].json() == made[2].json()
        kept = api("GET", f"campaigns/{draft}/proofs").json()["items"]
        assert kept == [made[1].json(), made[0].json()]
        assert (kept[0]["state"], kept[0]["wrong"], kept[0]["asked_by"]) == ("finished", 0, "shop")


class AmountTests:
    @pytest.fixture
    def doubted(self, api: Api, draft: int) -> tuple[int, int]:
        """(message, event) of an amount that cannot be right."""
        api("POST", f"campaigns/{draft}/launch", {})
        frozen(draft)
        message = Message.objects.earliest("pk")
        event = MessageEvent.objects.create(
            message=message,
            at=timezone.now(),
            source=doubtful_amounts.SOURCE,
            text="told as 4200 USD; too much to be right",
        )
        return message.pk, event.pk

    @pytest.mark.parametrize(("word", "cost"), [("take", "4200.000000"), ("leave_out", None)])
    def test_decided_once(self, api: Api, doubted: tuple[int, int], word: str, cost: str | None) -> None:
        pk, event = doubted
        [doubt] = api("GET", f"messages/{pk}/amount").json()["doubts"]
        assert doubt == {"event": event, "amount": "4200", "currency": "USD", "may_be_taken": True}
        asked = {"event": event, "word": word, "why": "by the invoice"}

        answers = [api("POST", f"messages/{pk}/amount", asked) for _time in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200], answers[0].content
        assert answers[0].json() == answers[1].json() == api("GET", f"messages/{pk}/amount").json()
        assert (answers[0].json()["cost"], answers[0].json()["doubts"]) == (cost, [])
        assert MessageEvent.objects.filter(source="amount").count() == 1

    def test_what_is_refused(self, api: Api, one_with: Callable[..., Api], doubted: tuple[int, int]) -> None:
        pk, event = doubted
        asked = {"event": event, "word": "take", "why": "by the invoice"}

        for wrong in ({"why": " "}, {"word": "yes"}, {"event": 2**70}):
            assert api("POST", f"messages/{pk}/amount", asked | wrong).status_code == 400
        assert api("POST", f"messages/{pk}/amount", asked | {"event": event + 1}).status_code == 409
        assert api("POST", f"messages/{pk + 99}/amount", asked).status_code == 404
        assert one_with(OPERATOR)("POST", f"messages/{pk}/amount", asked).status_code == 403
        assert not MessageEvent.objects.filter(source="amount").exists()


@pytest.mark.django_db(transaction=True)
class UnknownTests:
    @pytest.fixture
    def lost(self, api: Api, sandbox: RunningSandbox, lose_answers: LoseAnswers, settings: LazySettings) -> int:
        """A campaign of which a request was answered by nobody."""
        point_at(settings, sandbox)
        Application.objects.create(app_id="4luaKsL2", channel="sms", sender_id="SHOP")
        draft = Campaign.objects.get(pk=api("POST", "campaigns", DRAFT).json()["id"])
        return lose_answers(draft, people=3).pk

    def test_written_off_as_it_was_seen(self, api: Api, lost: int) -> None:
        shown = api("GET", f"campaigns/{lost}/unknown").json()
        assert (shown["messages"], [one["messages"] for one in shown["requests"]]) == (3, [3])
        assert shown["requests"][0]["request"] == LedgerEntry.objects.get().pk
        word = {"word": "write_off", "reason": "nobody has it", "seen": shown["seen"]}

        earlier = dt.datetime.fromisoformat(shown["seen"]) - dt.timedelta(microseconds=1)
        none = api("POST", f"campaigns/{lost}/unknown", word | {"seen": earlier.isoformat()}).json()
        assert (none["settled"], none["unknown"]) == (0, 3)
        given = [api("POST", f"campaigns/{lost}/unknown", word, Idempotency_Key=key).json() for key in "aab"]

        ended = {"id": lost, "state": "finished", "unknown": 0}
        assert given == [{**ended, "settled": n} for n in (3, 3, 0)]
        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.EXPIRED}
        assert MessageEvent.objects.filter(text__contains="nobody has it").count() == 3
        assert api("GET", f"campaigns/{lost}/unknown").json()["seen"] is None

    def test_what_will_be_lost_has_been_seen_by_nobody(self, api: Api, lost: int) -> None:
        tomorrow = (timezone.now() + dt.timedelta(days=1)).isoformat()

        refused = api("POST", f"campaigns/{lost}/unknown", {"word": "send_again", "reason": "x", "seen": tomorrow})

        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "seen")
        assert set(Message.objects.values_list("attempt", flat=True)) == {1}

    def test_sent_again_once(self, api: Api, lost: int, run_jobs: Callable[[], int]) -> None:
        seen = api("GET", f"campaigns/{lost}/unknown").json()["seen"]
        word = {"word": "send_again", "reason": "they wait", "seen": seen}

        given = [api("POST", f"campaigns/{lost}/unknown", word).json()["settled"] for _time in range(2)]
        run_jobs()

        assert given == [3, 0]
        assert set(Message.objects.values_list("attempt", flat=True)) == {2}
        assert LedgerEntry.objects.count() == Batch.objects.count() + 1 == 2

    def test_what_is_cancelled_is_not_sent_again(self, api: Api, lost: int) -> None:
        seen = api("GET", f"campaigns/{lost}/unknown").json()["seen"]
        api("POST", f"campaigns/{lost}/cancel")

        refused = api("POST", f"campaigns/{lost}/unknown", {"word": "send_again", "reason": "x", "seen": seen})

        assert refused.status_code == 409
        assert "Write the unknown messages off" in refused.json()["detail"]

    def test_who_may(self, api: Api, one_with: Callable[..., Api], lost: int) -> None:
        seen = api("GET", f"campaigns/{lost}/unknown").json()["seen"]
        word = {"word": "write_off", "reason": "x", "seen": seen}

        assert one_with(OPERATOR)("POST", f"campaigns/{lost}/unknown", word).status_code == 403
        assert api("POST", f"campaigns/{lost}/unknown", word | {"seen": None}).status_code == 400
        assert api("POST", f"campaigns/{lost}/unknown", word | {"reason": ""}).status_code == 400
        assert one_with(APPROVER)("POST", f"campaigns/{lost}/unknown", word).json()["settled"] == 3

"""What people say while others write about the same people."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.gateway.services.ledger.open_acts import StillOpen
from laaffic_console.laaffic import Reply as WireReply
from messaging.models import Contact, Conversation
from messaging.services.campaigns import answering, starting
from messaging.services.contacts import people, suppression
from messaging.services.replies import replies
from tests.interleaving import Ending, Scene, Stage, interleave
from tests.interleavings import rows
from tests.interleavings.test_campaigns import only
from voice.models import GroupTask
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import tasks as group_tasks


def said(number: str, words: str, *, ago: int) -> WireReply:
    at = timezone.now().replace(microsecond=0) - dt.timedelta(minutes=ago)
    return WireReply("", number, "SHOP", words, at, "", "", "", None, None, "", None)


def take(*found: WireReply) -> None:
    replies.take(found, source="push")


class StartTests:
    def test_while_somebody_else_puts_the_number_on_the_list(self, on: Stage) -> None:
        def make() -> Scene:
            number = rows.number()
            take(said(number, "STOP", ago=30))

            def suppress() -> None:
                suppression.suppress_numbers([number], channel="sms", reason="opt_out", source="console")

            def check(start: Ending, put: Ending) -> None:
                assert (start.problem, put.problem) == (None, None)
                assert suppression.suppressed_among([number], channels=["sms"]) == {number}

            return Scene(lambda: take(said(number, "START", ago=10)), suppress, check)

        interleave(on, make)

    def test_while_a_newer_stop_comes_the_other_way(self, on: Stage) -> None:
        def make() -> Scene:
            number = rows.number()
            take(said(number, "STOP", ago=30))

            def check(start: Ending, stop: Ending) -> None:
                assert (start.problem, stop.problem) == (None, None)
                assert suppression.suppressed_among([number], channels=["sms"]) == {number}

            start, stop = said(number, "START", ago=10), said(number, "STOP", ago=5)
            return Scene(lambda: take(start), lambda: take(stop), check)

        interleave(on, make)


class EraseTests:
    @pytest.mark.parametrize("words", ["STOP", "START"])
    def test_while_they_write(self, on: Stage, settings: Any, words: str) -> None:
        """Both take the person's question, consents and conversation in one order: neither is broken off."""
        settings.LAAFFIC_DOUBLE_OPT_IN = True

        def make() -> Scene:
            number = rows.number()
            Contact.objects.create(number=number)
            take(said(number, "STOP", ago=40))
            take(said(number, "START", ago=30))
            new = said(number, words, ago=10)

            def check(erased: Ending, kept: Ending) -> None:
                assert (erased.problem, kept.problem) == (None, None)
                assert not Contact.objects.filter(number=number).exists()

            return Scene(lambda: people.erase(number, why="asked for it", by=None), lambda: take(new), check)

        interleave(on, make)

    def test_while_the_numbers_given_with_them_are_frozen(self, on: Stage) -> None:
        """Either they are not in it, or their message waits and they are not erased."""

        def make() -> Scene:
            number, other = rows.number(), rows.number()
            campaign = rows.draft(groups=[rows.group_of(0)], numbers=[number, other])
            starting.launch(campaign.pk)

            def check(erased: Ending, frozen: Ending) -> None:
                only(erased, ValidationError)
                only(frozen)
                rows.freeze(campaign.pk)
                assert rows.numbers_of(campaign) == ({other} if erased.passed else {number, other})

            return Scene(
                lambda: people.erase(number, why="asked for it", by=None), lambda: rows.freeze(campaign.pk), check
            )

        interleave(on, make)

    def test_while_a_group_call_to_them_is_launched(self, on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """Either it leaves without them, or it has left, or they are not erased."""
        asked: dict[str, list[str]] = {}
        monkeypatch.setattr(group_answers, "_ask", lambda task, numbers: asked.setdefault(task.name, numbers) and "")

        def make() -> Scene:
            number, other = rows.number(), rows.number()
            audience = group_callees.gather(pasted=f"+{number}\n+{other}")
            given = {"name": rows.name(), "application": rows.application("voice"), "text": "Hello"}
            task = group_tasks.save(GroupTask(**given), audience=audience)

            def check(erased: Ending, launched: Ending) -> None:
                only(erased, ValidationError)
                only(launched)
                assert asked[task.name] == group_callees.of(task)
                assert other in asked[task.name]
                assert erased.passed or number in asked[task.name]

            return Scene(
                lambda: people.erase(number, why="asked for it", by=None), lambda: group_tasks.launch(task.pk), check
            )

        interleave(on, make)


class AnswerTests:
    def test_the_same_answer_of_two_people_goes_out_once(self, on: Stage) -> None:
        ada, bob = (User.objects.create_superuser(rows.name()[:30]) for _n in range(2))
        way = answering.Way(rows.application(), "SHOP")

        def make() -> Scene:
            number = rows.number()
            found = Conversation.objects.create(
                subscriber=number, number=number, last_at=timezone.now(), last_said="Hi", unread=1
            )

            def answer(by: User) -> None:
                answering.answer(found, way=way, text="We open at nine.", by=by)

            def check(first: Ending, second: Ending) -> None:
                problems = [ending.problem for ending in (first, second) if ending.problem]
                assert [type(problem) for problem in problems] == [StillOpen]
                assert found.answers.count() == 1

            return Scene(lambda: answer(ada), lambda: answer(bob), check)

        interleave(on, make)

    def test_while_the_person_is_erased(self, on: Stage) -> None:
        ada = User.objects.create_superuser(rows.name()[:30])
        way = answering.Way(rows.application(), "SHOP")

        def make() -> Scene:
            number = rows.number()
            found = Conversation.objects.create(
                subscriber=number, number=number, last_at=timezone.now(), last_said="Hi", unread=1
            )

            def check(answered: Ending, erased: Ending) -> None:
                """Either it waits, and erasing is refused until it has left; or there is nobody to answer any more."""
                problem = answered.problem or erased.problem
                assert isinstance(problem, ValidationError)
                assert answered.passed != erased.passed

            return Scene(
                lambda: answering.answer(found, way=way, text="We open at nine.", by=ada),
                lambda: people.erase(number, why="asked for it", by=ada),
                check,
            )

        interleave(on, make)

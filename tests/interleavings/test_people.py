"""What people say while others write about the same people."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.laaffic import Reply as WireReply
from messaging.models import Contact
from messaging.services.contacts import people, suppression
from messaging.services.replies import replies
from tests.interleaving import Ending, Scene, Stage, interleave
from tests.interleavings import rows


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

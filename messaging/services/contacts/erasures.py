"""Erased people: only their number is kept, to recognise them when a file brings them back."""

import datetime as dt
from collections.abc import Container, Sequence

from django.db.models import QuerySet

from messaging import msisdn
from messaging.models import Contact, Erasure
from messaging.subscribers import every_spelling, subscriber


def done() -> "QuerySet[Erasure]":
    return Erasure.objects.filter(is_done=True).order_by()


def count_among(numbers: Sequence[str]) -> int:
    """How many of the numbers were erased, in any spelling. Returns early if nobody was: imports ask for each chunk."""
    if not numbers or not done().exists():
        return 0
    found = done().filter(number__among=every_spelling(numbers)).values_list("number", flat=True)
    erased = set(map(subscriber, found))
    return sum(subscriber(number) in erased for number in numbers)


def is_of_erased(number: str) -> bool:
    return bool(count_among([number]))


def gone_since(launch: dt.datetime | None) -> list[str]:
    """Every spelling of those who were erased after this launch and have not become contacts again.

    Drafts lose them at the moment of erasing (`people.erase`); launched campaigns keep their numbers as proof, and must
    not pass them on. Erasures that a restore could only ask for count too, unless the person is a contact.
    """
    if launch is None:
        return []
    since = Erasure.objects.filter(erased_at__gte=launch).order_by()
    found = every_spelling(list(since.values_list("number", flat=True).distinct()))
    again = Contact.objects.filter(number__among=found).values_list("number", flat=True)
    came_back = set(map(subscriber, again))
    return [number for number in found if subscriber(number) not in came_back]


def without(given: Sequence[str], subscribers: Container[str]) -> list[str]:
    """Numbers as somebody wrote them, without those of these people."""
    return [one for one in given if _subscriber_of(one) not in subscribers]


def _subscriber_of(written: str) -> str:
    try:
        return subscriber(msisdn.parse(written).number)
    except msisdn.InvalidNumber:
        return ""


def numbers() -> list[str]:
    """Every spelling of all of them; they are few, as each was erased by hand."""
    return every_spelling(list(done().values_list("number", flat=True).distinct()))

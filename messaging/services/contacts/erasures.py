"""Who was erased: their number is all that is kept of them, and it tells when a file brings them back."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from messaging.models import Erasure
from messaging.subscribers import every_spelling, subscriber

# A restore's, which has only asked for it (Erasure.has_erased).
_ASKED_FOR = Q(contacts=0, messages=0, replies=0, erased_by=None)


def done() -> "QuerySet[Erasure]":
    return Erasure.objects.exclude(_ASKED_FOR).order_by()


def count_among(numbers: Sequence[str]) -> int:
    """By whatever spelling. Most consoles have erased nobody, and an import asks for each of its chunks."""
    if not numbers or not done().exists():
        return 0
    found = done().filter(number__among=every_spelling(numbers)).values_list("number", flat=True)
    erased = set(map(subscriber, found))
    return sum(subscriber(number) in erased for number in numbers)


def is_of_erased(number: str) -> bool:
    return bool(count_among([number]))


def numbers() -> list[str]:
    """Every spelling of all of them; they are few, as each was erased by hand."""
    return every_spelling(list(done().values_list("number", flat=True).distinct()))

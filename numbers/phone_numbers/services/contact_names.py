"""The names of contacts for a whole page of numbers, in one query."""

from collections.abc import Iterable

from messaging.models import Contact


def names_of(numbers: Iterable[str]) -> dict[str, str]:
    """Number → name, for numbers of contacts that have a name."""
    wanted = {number for number in numbers if number}
    known = Contact.objects.filter(number__in=wanted).exclude(name="")
    return dict(known.values_list("number", "name"))

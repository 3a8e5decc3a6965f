"""Sample values of merge fields from the newest contacts, for the counter beside a text that is being written."""

from collections.abc import Sequence
from statistics import median_high

from django.db.models import QuerySet

from messaging.models import Contact
from messaging.services.text.merge_values import values_of
from messaging.text import merge_fields, segments

SAMPLE = 500
SHOWN = 20

StandIn = tuple[str, str, str]  # as long as the shortest, a typical and the longest value


def sampled() -> "QuerySet[Contact]":
    """Contacts from all over the table, and the newest: each import may bring columns of its own."""
    half = SAMPLE // 2
    newest = list(Contact.objects.order_by("-pk").values_list("pk", flat=True)[:half])
    last = newest[0] if newest else 0
    spread = range(1, last + 1, max(1, last // half))
    return Contact.objects.filter(pk__in=[*newest, *spread]).order_by("-pk")


def stand_ins() -> dict[str, StandIn]:
    """Built-in fields first, then attributes. The texts have the length and alphabet of values, not the values: who
    writes a text need not see anybody's data."""
    people = [merge_fields.with_derived(values_of(contact)) for contact in sampled()]
    attributes = sorted({name for values in people for name in values} - set(merge_fields.BUILT_IN))
    names = [*merge_fields.BUILT_IN, *attributes][:SHOWN]
    return {name: _stand_in([values.get(name, "") for values in people]) for name in names}


def _stand_in(values: Sequence[str]) -> StandIn:
    if not values:
        return "", "", ""
    plain = [segments.GSM_7_CHARACTERS.issuperset(value) for value in values]
    lengths = [len(value) for value in values]
    return (
        _letters(min(lengths), gsm_7=any(plain)),
        _letters(median_high(lengths), gsm_7=2 * sum(plain) >= len(plain)),
        _letters(max(lengths), gsm_7=all(plain)),
    )


def _letters(length: int, *, gsm_7: bool) -> str:
    return ("x" if gsm_7 else "ш") * length

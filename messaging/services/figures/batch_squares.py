"""A campaign's batches as a few hundred squares, each with how it stands; many batches share one."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, IntegerField, Max, Min, Q, Sum, Value
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.kit.figures import number
from messaging import meanings
from messaging.models import Batch, BatchState, Campaign

AT_MOST = 240

# How a square stands → its tone; the most urgent of its batches decides.
TONES = {
    "unknown": "warn",
    "claimed": "moving",
    "queued": "wait",
    "failed": "bad",
    "answered": "sent",
    "done": "good",
    "cancelled": "off",
}


@dataclass(frozen=True, slots=True)
class Square:
    standing: str
    tone: str
    says: str
    entry_id: int | None  # where it is one batch with one request


@dataclass(frozen=True, slots=True)
class Squares:
    squares: list[Square]
    batches: int
    standings: list[tuple[str, str, str]]  # (standing, tone, meaning) of those that occur


def of(campaign: Campaign) -> Squares | None:
    """Two queries, however many batches there are."""
    batches = Batch.objects.filter(campaign=campaign).order_by()
    ends = batches.aggregate(first=Min("id"), last=Max("id"), n=Count("id"))
    if not ends["n"]:
        return None
    span = ends["last"] - ends["first"] + 1
    # A place by id: batches that belong together are numbered together. Whole numbers on both databases.
    place = (F("id") - Value(ends["first"])) * Value(min(AT_MOST, span)) / Value(span)
    rows = (
        batches.annotate(place=_whole(place))
        .values("place")
        .annotate(
            batches=Count("id"),
            recipients=Sum("size"),
            entry=Max("entry_id"),
            lost=Sum("unknown"),
            in_hand=Count("id", filter=Q(state=BatchState.CLAIMED)),
            waiting=Count("id", filter=Q(state=BatchState.QUEUED)),
            pending=Sum("accepted"),
            arrived=Sum("delivered"),
            cancelled=Sum("cancelled"),
            failed=Sum(F("rejected") + F("undelivered") + F("expired")),
        )
        .order_by("place")
    )
    squares = [_square(dict(row)) for row in rows]
    found = {square.standing for square in squares}
    standings = [(word, tone, str(meanings.OF_BATCHES[word])) for word, tone in TONES.items() if word in found]
    return Squares(squares, ends["n"], standings)


def _whole(expression: Any) -> Any:
    expression.output_field = IntegerField()
    return expression


def _square(row: dict[str, Any]) -> Square:
    standing = _standing(row)
    recipients = ngettext("%(n)s recipient", "%(n)s recipients", row["recipients"]) % {"n": number(row["recipients"])}
    says = [str(meanings.OF_BATCHES[standing]), recipients]
    if row["batches"] > 1:
        says.insert(0, _("%(n)s batches") % {"n": number(row["batches"])})
    for count, words in ((row["arrived"], _("%(n)s delivered")), (row["failed"], _("%(n)s failed"))):
        if count:
            says.append(words % {"n": number(count)})
    return Square(standing, TONES[standing], " · ".join(says), row["entry"] if row["batches"] == 1 else None)


def _standing(row: dict[str, Any]) -> str:
    if row["lost"]:
        return "unknown"
    if row["in_hand"]:
        return "claimed"
    if row["waiting"]:
        return "queued"
    if row["pending"]:
        return "answered"
    if row["cancelled"] and not row["arrived"] and not row["failed"]:
        return "cancelled"
    return "failed" if row["failed"] > row["arrived"] else "done"

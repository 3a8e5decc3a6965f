"""A campaign's batches as a few hundred squares, each with how it stands; many batches share one."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.gateway.models import EvidenceKind
from laaffic_console.kit.words.figures import number
from messaging import meanings
from messaging.models import Batch, BatchState, Campaign

AT_MOST = 240

# How a square stands → its tone; the most urgent of its batches decides.
TONES = {
    "unknown": "warn",
    "restored": "warn",
    "claimed": "moving",
    "queued": "wait",
    "failed": "bad",
    "answered": "sent",
    "done": "good",
    "cancelled": "off",
}


# Batches that belong together follow each other. A place by the row: ids leave gaps, of millions behind a restore.
_PLACED = """
SELECT place, count(*) AS batches, sum(size) AS recipients, max(entry_id) AS entry, sum(unknown) AS lost,
    sum(doubtful) AS doubtful,
    sum(CASE WHEN state = %s THEN 1 ELSE 0 END) AS in_hand, sum(CASE WHEN state = %s THEN 1 ELSE 0 END) AS waiting,
    sum(accepted) AS pending, sum(delivered) AS arrived, sum(cancelled) AS cancelled,
    sum(rejected + undelivered + expired) AS failed
FROM (
    SELECT size, entry_id, state, unknown, accepted, delivered, cancelled, rejected, undelivered, expired,
        CASE WHEN unknown > 0 AND EXISTS (
            SELECT 1 FROM gateway_ledgerentry e WHERE e.id = entry_id AND e.evidence_kind = %s
        ) THEN unknown ELSE 0 END AS doubtful,
        (row_number() OVER (ORDER BY id) - 1) * %s / %s AS place
    FROM messaging_batch WHERE campaign_id = %s
) AS placed
GROUP BY place ORDER BY place
"""


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
    n = Batch.objects.filter(campaign=campaign).count()
    if not n:
        return None
    with connection.cursor() as cursor:
        states = [BatchState.CLAIMED, BatchState.QUEUED, EvidenceKind.RESTORE]
        cursor.execute(_PLACED, [*states, min(AT_MOST, n), n, campaign.pk])
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
    squares = [_square(row) for row in rows]
    found = {square.standing for square in squares}
    standings = [(word, tone, str(meanings.OF_BATCHES[word])) for word, tone in TONES.items() if word in found]
    return Squares(squares, n, standings)


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
        return "restored" if row["doubtful"] == row["lost"] else "unknown"
    if row["in_hand"]:
        return "claimed"
    if row["waiting"]:
        return "queued"
    if row["pending"]:
        return "answered"
    if row["cancelled"] and not row["arrived"] and not row["failed"]:
        return "cancelled"
    return "failed" if row["failed"] > row["arrived"] else "done"

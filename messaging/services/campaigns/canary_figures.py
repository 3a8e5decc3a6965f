"""What the reports of the few first say, and what they decide: for the job that decides, and for who resumes."""

import datetime as dt
import math
from dataclasses import dataclass

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.words.said import gettext as _
from messaging.models import IS_OPEN_BATCH, Batch, BatchState, Campaign, Canary
from messaging.services.gates import canary as gate
from messaging.services.tallies import counting

LEFT = ("unknown", "rejected", "accepted", "expired", "undelivered", "delivered")


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of the first few: how many left, and what reports say. Below `wanted` reports nothing is decided."""

    left: int
    delivered: int
    failed: int
    wanted: int
    least: int  # percent

    @property
    def reported(self) -> int:
        return self.delivered + self.failed

    @property
    def percent(self) -> int:
        return 100 * self.delivered // self.reported if self.reported else 0

    @property
    def is_enough(self) -> bool:
        return self.reported >= self.wanted

    @property
    def is_well(self) -> bool:
        return 100 * self.delivered >= self.least * self.reported

    def as_json(self) -> dict[str, int]:
        return {"left": self.left, "delivered": self.delivered, "failed": self.failed, "wanted": self.wanted}


def figures(campaign: Campaign, canary: Canary, counts: dict[str, int]) -> Figures:
    """`counts`: by state, from the batches' tallies."""
    left = sum(counts[state] for state in LEFT) - canary.rejected_before
    return Figures(
        left=left,
        delivered=counts["delivered"],
        failed=counts["undelivered"] + counts["rejected"] - canary.rejected_before,
        wanted=max(1, math.ceil(left * campaign.canary_reports / 100)),
        least=campaign.canary_least,
    )


def stop_of(campaign: Campaign) -> str:
    """Why it would be held at once if it went on, by the reports that have come until now; "" where it would not."""
    canary = Canary.objects.filter(pk=campaign.pk, parted_at__isnull=False, passed_at=None).first()
    if canary is None or are_on_their_way(campaign):
        return ""
    return against(campaign, canary, figures(campaign, canary, counting.state_counts(campaign)), database_clock.now())


def against(campaign: Campaign, canary: Canary, found: Figures, now: dt.datetime) -> str:
    """Why the rest may not follow: none of the few has left, or too few of them were delivered; "" otherwise."""
    if not found.left:
        said = _("None of the %(n)d that were to go first has left. Go on now sends the rest, or cancel it.")
        return said % {"n": canary.size}
    return _not_well(found) if is_decided(campaign, canary, found, now) and not found.is_well else ""


def is_decided(campaign: Campaign, canary: Canary, found: Figures, now: dt.datetime) -> bool:
    """There are enough reports, and no more are waited for."""
    return found.is_enough and (is_time(campaign, canary, now) or found.reported == found.left)


def is_time(campaign: Campaign, canary: Canary, now: dt.datetime) -> bool:
    return canary.sent_at is not None and now >= canary.sent_at + dt.timedelta(minutes=campaign.canary_wait)


def are_on_their_way(campaign: Campaign) -> bool:
    """Some of those who were chosen have not left: they are in hand, or wait for their hours or another try."""
    to_leave = [BatchState.QUEUED, BatchState.CLAIMED]
    open_ones = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign=campaign, state__in=to_leave)
    return open_ones.exclude(state=BatchState.QUEUED, waits_for__startswith=gate.WHY).exists()


def _not_well(found: Figures) -> str:
    said = _(
        "Of the few first, %(delivered)d of %(reported)d reports say delivered (%(percent)d%%); at least %(least)d%% "
        "are wanted. Go on now sends the rest, Resume looks again."
    )
    return said % {
        "delivered": found.delivered,
        "reported": found.reported,
        "percent": found.percent,
        "least": found.least,
    }

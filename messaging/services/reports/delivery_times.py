"""How long the way from the gateway to the phone took, kept in buckets (services/batches/sent_tallies.py)."""

import bisect
import datetime as dt
from dataclasses import dataclass

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from laaffic_console.kit.figures import share
from messaging.models import Campaign, DeliveryTimeTally

# Seconds: a bucket ends before its bound; the last one has none. Each is at most half as long again as the one before,
# from 20 s on, so that a median read off them is that near to the truth.
BOUNDS = (
    *(1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1200, 1800, 2700),
    *(3600, 5400, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 57_600, 86_400, 129_600, 172_800, 259_200),
)
SHOWN = (5, 10, 30, 60, 300, 900, 3600)  # on pages


@dataclass(frozen=True, slots=True)
class Bucket:
    label: str
    messages: int
    share: float  # of all, in per cent


@dataclass(frozen=True, slots=True)
class DeliveryTimes:
    messages: int
    buckets: list[Bucket]
    half: str  # in words, within which time half have arrived
    most: str  # and nine of ten


def bucket_of(settled_at: dt.datetime | None, reported_at: dt.datetime | None) -> int | None:
    """None where one of the two is not known, as for a report that came before the answer."""
    if settled_at is None or reported_at is None:
        return None
    return bisect.bisect_right(BOUNDS, (reported_at - settled_at).total_seconds())


def of_campaign(campaign: Campaign) -> DeliveryTimes | None:
    return _summary(DeliveryTimeTally.objects.filter(campaign=campaign))


def since(start: dt.datetime) -> DeliveryTimes | None:
    """Of what was sent in the hours from `start` on."""
    return _summary(DeliveryTimeTally.objects.filter(hour__gte=start))


def _summary(tallies: "QuerySet[DeliveryTimeTally]") -> DeliveryTimes | None:
    found = dict(tallies.order_by().values_list("bucket").annotate(n=Sum("messages")))
    counts = [0] * (len(SHOWN) + 1)
    for bucket, n in found.items():
        counts[_shown_of(bucket)] += n
    total = sum(counts)
    if not total:
        return None
    labels = _labels()
    buckets = [Bucket(label, n, share(n, total)) for label, n in zip(labels, counts, strict=True)]
    return DeliveryTimes(total, buckets, _within(_reached(counts, total / 2)), _within(_reached(counts, total * 0.9)))


def _shown_of(bucket: int) -> int:
    return bisect.bisect_left(SHOWN, BOUNDS[bucket]) if bucket < len(BOUNDS) else len(SHOWN)


def _reached(counts: list[int], wanted: float) -> int:
    arrived = 0
    for bucket, n in enumerate(counts):
        arrived += n
        if arrived >= wanted:
            return bucket
    return len(counts) - 1


def _within(bucket: int) -> str:
    if bucket == len(SHOWN):
        return _("over an hour")
    seconds = SHOWN[bucket]
    if seconds <= 60:
        return _("within %(n)d s") % {"n": seconds}
    return _("within %(n)d min") % {"n": seconds // 60}


def _labels() -> list[str]:
    return [
        _("under 5 s"),
        _("5–10 s"),
        _("10–30 s"),
        _("30–60 s"),
        _("1–5 min"),
        _("5–15 min"),
        _("15–60 min"),
        _("over an hour"),
    ]

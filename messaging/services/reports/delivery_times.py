"""How long the way from the gateway to the phone took, kept in a few buckets as reports arrive."""

import bisect
import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from laaffic_console.kit.figures import share
from messaging.models import Campaign, DeliveryTimeTally
from messaging.services.batches.bulk_writes import upsert_tallies
from messaging.services.batches.hours import hour_of

# Seconds: a bucket ends before its bound; the last one has none.
BOUNDS = [5, 10, 30, 60, 300, 900, 3600]


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


def count(campaign_id: int, buckets: Counter[int], now: dt.datetime) -> None:
    hour = hour_of(now)
    upsert_tallies(
        DeliveryTimeTally._meta.db_table,
        ["hour", "campaign_id", "bucket"],
        ["messages"],
        [(hour, campaign_id, bucket, n) for bucket, n in buckets.items()],
    )


def of_campaign(campaign: Campaign) -> DeliveryTimes | None:
    return _summary(DeliveryTimeTally.objects.filter(campaign=campaign))


def since(start: dt.datetime) -> DeliveryTimes | None:
    return _summary(DeliveryTimeTally.objects.filter(hour__gte=start))


def _summary(tallies: "QuerySet[DeliveryTimeTally]") -> DeliveryTimes | None:
    found = dict(tallies.order_by().values_list("bucket").annotate(n=Sum("messages")))
    counts = [found.get(bucket, 0) for bucket in range(len(BOUNDS) + 1)]
    total = sum(counts)
    if not total:
        return None
    labels = _labels()
    buckets = [Bucket(label, n, share(n, total)) for label, n in zip(labels, counts, strict=True)]
    return DeliveryTimes(total, buckets, _within(_reached(counts, total / 2)), _within(_reached(counts, total * 0.9)))


def _reached(counts: list[int], wanted: float) -> int:
    arrived = 0
    for bucket, n in enumerate(counts):
        arrived += n
        if arrived >= wanted:
            return bucket
    return len(counts) - 1


def _within(bucket: int) -> str:
    if bucket == len(BOUNDS):
        return _("over an hour")
    seconds = BOUNDS[bucket]
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

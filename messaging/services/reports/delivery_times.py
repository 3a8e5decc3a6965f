"""How long the way from the gateway to the phone took, kept in buckets (services/tallies/sent_tallies.py)."""

import bisect
import datetime as dt
import itertools
from dataclasses import dataclass

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from laaffic_console.kit.delivery_buckets import BOUNDS
from laaffic_console.kit.words.figures import share
from messaging.models import Campaign, DeliveryTimeTally

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


def of_campaign(campaign: Campaign) -> DeliveryTimes | None:
    return _summary(DeliveryTimeTally.objects.filter(campaign=campaign))


def since(start: dt.datetime) -> DeliveryTimes | None:
    """The delivery times of messages sent in the hours from `start` on."""
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
    return next(bucket for bucket, arrived in enumerate(itertools.accumulate(counts)) if arrived >= wanted)


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

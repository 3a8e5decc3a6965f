"""How long the way to the phone took, in buckets: few enough to be kept by the hour, fine enough for a median."""

import bisect
import datetime as dt
from collections.abc import Mapping

# Seconds: a bucket ends before its bound; the last one has none. Each is at most half as long again as the one before,
# from 20 s on, so that a median read off them is that near to the truth.
BOUNDS = (
    *(1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1200, 1800, 2700),
    *(3600, 5400, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 57_600, 86_400, 129_600, 172_800, 259_200),
)


def bucket_of(settled_at: dt.datetime | None, reported_at: dt.datetime | None) -> int | None:
    """None where one of the two is not known, as for a report that came before the answer."""
    if settled_at is None or reported_at is None:
        return None
    return bisect.bisect_right(BOUNDS, (reported_at - settled_at).total_seconds())


def reached(counts: Mapping[int, int], share: float) -> int | None:
    """Within how many seconds this share (0.5: half) had arrived; None where nothing has.

    It is the bound of the bucket: the true time is at most that, and not below the bound before it. Three days stand
    for whatever took longer.
    """
    wanted, arrived = share * sum(counts.values()), 0
    for bucket in sorted(counts):
        arrived += counts[bucket]
        if counts[bucket] > 0 and arrived >= wanted:
            return BOUNDS[min(bucket, len(BOUNDS) - 1)]
    return None

"""Counting whom a draft would reach, a stretch of contacts at a time: a million take seconds, and no page waits for it.

Whoever looks at the draft counts on for a moment, and a job does the rest; a count that was cut off goes on where it
stood. What it says is how things stood then: the launch itself looks at everybody again.
"""

import datetime as dt
import hashlib
import json
import time
from collections import Counter

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from laaffic_console.gateway.services import bell, leases
from messaging.models import AudienceCount, Campaign, Contact, GroupMembership, Message
from messaging.services import audience, audience_sql, channels, merged_lengths, repeats

JOB = "messaging.jobs.count_audience"
STRETCH = 5000  # contacts: some tens of milliseconds
PAGE_SECONDS = 0.08
JOB_SECONDS = 20.0
FRESH = dt.timedelta(minutes=10)


def of(campaign: Campaign) -> AudienceCount:
    """The draft's count, begun anew where it is not about the draft as it stands, and pushed on a little."""
    count = AudienceCount.objects.filter(campaign=campaign).first()
    if count is None or not _is_about(count, campaign):
        count = _begin(campaign)
    if not count.is_done:
        count = _count(campaign, count, PAGE_SECONDS)
    if not count.is_done:
        bell.ring_once_a_second(JOB)
    return count


def complete(campaign: Campaign) -> AudienceCount:
    """All of it, however long that takes: not under a lock."""
    count = of(campaign)
    while not count.is_done:
        count = _count(campaign, count, JOB_SECONDS)
        if not count.is_done:
            time.sleep(PAGE_SECONDS)  # somebody else counts
    return count


def is_current(campaign: Campaign) -> bool:
    count = AudienceCount.objects.filter(campaign=campaign).first()
    return count is not None and count.is_done and _is_about(count, campaign)


def count_open() -> None:
    """Finish the counts that have begun."""
    give_up_at = time.monotonic() + JOB_SECONDS
    for count in AudienceCount.objects.filter(counted_at=None).select_related("campaign").order_by("started_at"):
        left = give_up_at - time.monotonic()
        if left <= 0 or not _count(count.campaign, count, left).is_done:
            bell.ring(JOB)
            return


def _is_about(count: AudienceCount, campaign: Campaign) -> bool:
    is_fresh = timezone.now() - (count.counted_at or count.started_at) < FRESH
    return is_fresh and count.counted_for == _digest(campaign)


def _digest(campaign: Campaign) -> str:
    """Of what decides who is reached, as far as it can be known without looking at everybody."""
    decides = [
        campaign.text,
        campaign.channel,
        sorted(campaign.groups.values_list("pk", flat=True)),
        sorted(campaign.excluded_groups.values_list("pk", flat=True)),
        campaign.extra_numbers,
        list(repeats.campaigns_like(campaign).values_list("pk", flat=True)),
    ]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def _begin(campaign: Campaign) -> AudienceCount:
    last = GroupMembership.objects.filter(group__in=campaign.groups.all()).order_by("-contact_id")
    ends = [
        last.filter(group=group).values_list("contact_id", flat=True).first()
        for group in campaign.groups.values_list("pk", flat=True)
    ]
    fresh = {
        "counted_for": _digest(campaign),
        "cursor": 0,
        "end": max((end for end in ends if end), default=0),
        "reached": [],
        "suppressed": 0,
        "excluded": 0,
        "too_long": 0,
        "invalid": 0,
        "repeated": 0,
        "started_at": timezone.now(),
        "counted_at": None,
    }
    count, _made = AudienceCount.objects.update_or_create(campaign=campaign, defaults=fresh)
    return count


def _count(campaign: Campaign, count: AudienceCount, seconds: float) -> AudienceCount:
    """Count on for so long, if nobody else does."""
    with leases.lease(f"count:{campaign.pk}") as held:
        count.refresh_from_db()
        if held is None or count.is_done:
            return count
        give_up_at = time.monotonic() + seconds
        _Counting(campaign, count).go_on(give_up_at)
        # Only the count that was begun: one that was begun anew meanwhile is another's.
        AudienceCount.objects.filter(pk=count.pk, counted_for=count.counted_for).update(
            **{name: getattr(count, name) for name in _COUNTED}
        )
    return count


_COUNTED = ("cursor", "reached", "suppressed", "excluded", "too_long", "invalid", "repeated", "counted_at")


class _Counting:
    """One go at a count."""

    def __init__(self, campaign: Campaign, count: AudienceCount) -> None:
        self.campaign, self.count = campaign, count
        self.groups = list(campaign.groups.order_by("pk").values_list("pk", flat=True))
        self.excluded = list(campaign.excluded_groups.order_by("pk").values_list("pk", flat=True))
        self.like = list(repeats.campaigns_like(campaign).values_list("pk", flat=True))
        self.reached = Counter({(country, zones): n for country, zones, n in count.reached})

    def go_on(self, give_up_at: float) -> None:
        count = self.count
        while time.monotonic() < give_up_at:
            upper = audience_sql.end_of_stretch(self.groups, count.cursor, count.end, STRETCH)
            if upper is None:
                self._count_numbers()
                count.counted_at = timezone.now()
                break
            self._count_stretch(upper)
            count.cursor = upper
        count.reached = [[*where, n] for where, n in self.reached.most_common()]

    def _count_stretch(self, upper: int) -> None:
        after = self.count.cursor
        who, params = audience_sql.members(self.groups, after, upper)
        not_excluded, excluded = audience_sql.not_excluded(self.excluded, after, upper)
        not_suppressed, suppressed_on = audience_sql.not_suppressed("c", channels.of(self.campaign).suppressed_on)
        had, had_params = self._had_it("c.number")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT country, time_zones, excluded, suppressed, had, count(*) FROM (SELECT c.country, c.time_zones, "
                f"CASE WHEN {not_excluded} THEN 0 ELSE 1 END AS excluded, "
                f"CASE WHEN {not_suppressed} THEN 0 ELSE 1 END AS suppressed, "
                f"CASE WHEN {had} THEN 1 ELSE 0 END AS had {who}) AS looked_at GROUP BY 1, 2, 3, 4, 5",
                [*excluded, *suppressed_on, *had_params, *params],
            )
            for row in cursor.fetchall():
                self._add(*row)
        if merged_lengths.bound(self.campaign):
            self.count.too_long += merged_lengths.count_too_long(self.campaign, self._reached(after, upper))

    def _add(self, country: str, zones: str, excluded: int, suppressed: int, had: int, n: int) -> None:
        if excluded:
            self.count.excluded += n
        elif suppressed:
            self.count.suppressed += n
        else:
            self.reached[country, zones] += n
            self.count.repeated += n if had else 0

    def _had_it(self, number: str) -> tuple[str, list[int]]:
        if not self.like:
            return "FALSE", []
        marks = ", ".join(["%s"] * len(self.like))
        not_had = ", ".join(str(int(state)) for state in repeats.NOT_HAD)
        return (
            f"EXISTS (SELECT 1 FROM messaging_message r WHERE r.number = {number} AND r.campaign_id IN ({marks}) "
            f"AND r.state NOT IN ({not_had}))",
            self.like,
        )

    def _reached(self, after: int, upper: int) -> QuerySet[Contact]:
        """The contacts of a stretch that would get a message."""
        mine = GroupMembership.objects.filter(contact=OuterRef("pk"), contact__gt=after, contact__lte=upper)
        stretch = Contact.objects.filter(pk__gt=after, pk__lte=upper).filter(Exists(mine.filter(group__in=self.groups)))
        if self.excluded:
            stretch = stretch.exclude(Exists(mine.filter(group__in=self.excluded)))
        return stretch.exclude(audience.is_suppressed(self.campaign))

    def _count_numbers(self) -> None:
        """What was given one by one. A number that is in a group too is counted twice here, and frozen once."""
        wanted = audience.valid_numbers(self.campaign)
        suppressed = audience.suppressed_among(self.campaign, wanted)
        for number, told in wanted.items():
            if number not in suppressed:
                self.reached[told.country, ",".join(told.time_zones)] += 1
        had = Message.objects.filter(campaign__in=self.like, number__in=wanted).exclude(state__in=repeats.NOT_HAD)
        self.count.repeated += had.values("number").distinct().count()
        self.count.suppressed += len(suppressed)
        self.count.invalid += len(self.campaign.extra_numbers) - len(wanted)

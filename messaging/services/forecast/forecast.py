"""What a launch would do, before it does: how many, where to, how many segments, what it costs, how long it takes."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from laaffic_console.kit.words import durations
from messaging.models import AudienceCount, Campaign, Contact
from messaging.services.audience import audience_counts, given_numbers, rules
from messaging.services.channels import channels
from messaging.services.reports import prices
from messaging.services.reports.prices import Cost
from messaging.services.saved_audiences import audience_sql, audiences
from messaging.services.text.merge_values import for_eyes, values_of
from messaging.text import merge_fields

SAMPLE = 200
A_LONG_ONE = 1000  # recipients of a campaign that tells how fast the gateway takes them


@dataclass(frozen=True, slots=True)
class Forecast:
    counted: AudienceCount  # while it is not done, all figures are of those counted so far
    segments_least: int  # of one message; over a sample where the count has looked at nobody yet
    segments_typical: int
    segments_most: int
    segments_total: int
    lacking_fields: dict[str, int]  # recipients of the sample for whom a field would say nothing
    cost: Cost
    rate: float | None  # recipients a second; None where nothing tells
    is_rate_learned: bool  # from the last campaign, where no limit is set

    @property
    def longer(self) -> int:
        """Messages that their fields make longer than the shortest; 0 where none was counted by its own text."""
        return sum(int(n) for segments, n in self.counted.segments if segments > self.segments_least)

    @property
    def recipients(self) -> int:
        return self.counted.recipients

    @property
    def takes(self) -> str:
        """How long sending takes, in words; "" if the speed is not known or nobody is sent anything."""
        return durations.in_words(self.recipients / self.rate) if self.rate and self.recipients else ""


def of(campaign: Campaign) -> Forecast:
    return from_count(campaign, audience_counts.of(campaign))


def looked_at(campaign: Campaign) -> Forecast | None:
    """A forecast from the stored count, for a page that refreshes itself; None if no count is current.

    No contacts are read, so contacts that lack a merge field are not known.
    """
    counted = audience_counts.current(campaign)
    return from_count(campaign, counted, []) if counted else None


def from_count(campaign: Campaign, counted: AudienceCount, people: Sequence[Contact] | None = None) -> Forecast:
    """`people`: a sample that was taken already."""
    each, lacking = _segments(campaign, people)
    if counted.segments:
        each = Counter(dict(counted.segments))
    average = _average(each)
    limit, learned = _limit(campaign), None
    if limit is None:
        learned = _last_speed(campaign)
    return Forecast(
        counted=counted,
        segments_least=min(each),
        segments_typical=_typical(each),
        segments_most=max(each),
        segments_total=round(average * counted.recipients),
        lacking_fields=lacking,
        cost=prices.cost_of(by_country(counted), average, prices.known(campaign.channel)),
        rate=limit or learned,
        is_rate_learned=learned is not None,
    )


def by_country(counted: AudienceCount) -> dict[str, int]:
    """Recipients by country, the most first."""
    sums = Counter[str]()
    for country, _zones, n in counted.reached:
        sums[country] += n
    return dict(sums.most_common())


def _limit(campaign: Campaign) -> int | None:
    rates = [rate for rate in (campaign.rate_per_second, campaign.application.rate_per_second) if rate]
    return min(rates) if rates else None


def _last_speed(campaign: Campaign) -> float | None:
    """Messages a second in the application's last campaign that was long enough to tell; None if there is none."""
    ended = Campaign.objects.filter(
        application=campaign.application_id,
        channel=campaign.channel,
        total__gte=A_LONG_ONE,
        rate_per_second=None,
        first_sent_at__isnull=False,
        finished_at__isnull=False,
    ).order_by("-pk")
    last: Any = ended.values_list("total", "first_sent_at", "finished_at").first()
    return None if last is None else last[0] / max((last[2] - last[1]).total_seconds(), 1.0)


def segments_each(campaign: Campaign) -> float:
    """The average segments of one message, from a sample of contacts; no audience is counted for it."""
    return _average(_segments(campaign)[0])


def _average(each: Counter[int]) -> float:
    return sum(segments * n for segments, n in each.items()) / each.total()


def _typical(each: Counter[int]) -> int:
    """The segments of the median message."""
    up_to = dict(zip(sorted(each), itertools.accumulate(each[segments] for segments in sorted(each)), strict=True))
    return next(segments for segments, n in up_to.items() if 2 * n > each.total())


def _segments(campaign: Campaign, people: Sequence[Contact] | None = None) -> tuple[Counter[int], dict[str, int]]:
    """Messages by their segments, and who lacks a field, over a sample of the audience."""
    template = merge_fields.parse(campaign.text)
    count = channels.of(campaign).segments
    if not merge_fields.fields(channels.texts_of(campaign)):
        return Counter({count(campaign.text): 1}), {}
    unsaid = merge_fields.parse(channels.texts_of(campaign)).fields_without_fallback
    counts, lacking = [], dict.fromkeys(unsaid, 0)
    contacts = sample(campaign) if people is None else people
    for contact in [*contacts, *given_numbers.sample(campaign, SAMPLE)]:
        values = merge_fields.with_derived(values_of(contact))
        counts.append(count(merge_fields.render(template, values)))
        for name in lacking:
            lacking[name] += not values.get(name)
    counts = counts or [count(campaign.text)]
    return Counter(counts), {name: n for name, n in lacking.items() if n}


def sample(campaign: Campaign, at_most: int = SAMPLE, *, seconds: float = audiences.LOOK_SECONDS) -> list[Contact]:
    """The first contacts of the campaign's groups and, as far as they are found in so long, of its audiences."""
    ids = set(audience_sql.first_of(list(campaign.to_groups.values_list("pk", flat=True)), at_most))
    if meant := rules.of(campaign):
        ids.update(contact.pk for contact in audiences.first(meant, at_most=at_most, seconds=seconds))
    return list(Contact.objects.filter(pk__in=sorted(ids)[:at_most]).order_by("pk"))


def as_contact(text: str, contact: Contact) -> str:
    """The text as one contact would read it."""
    return merge_fields.render(merge_fields.parse(text), merge_fields.with_derived(values_of(contact)))


def as_shown(text: str, contact: Contact) -> str:
    """As `as_contact`, with the masks of this viewer. Never count its segments: masks change length and alphabet."""
    return merge_fields.render(merge_fields.parse(text), merge_fields.with_derived(for_eyes(values_of(contact))))


def starts_at(campaign: Campaign) -> Any:
    """When it would start: its time, or now."""
    now = timezone.now()
    return max(campaign.scheduled_at, now) if campaign.scheduled_at else now

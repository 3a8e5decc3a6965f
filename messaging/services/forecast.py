"""What a launch would do, before it does: how many, where to, how many segments, how long."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from messaging import merge_fields
from messaging.models import Campaign, Contact, GroupMembership, SuppressionEntry
from messaging.services import channels, merged_lengths
from messaging.services.merge_values import values_of

SAMPLE = 200
COUNTRIES = 12


@dataclass(frozen=True, slots=True)
class Forecast:
    recipients: int
    suppressed: int
    excluded: int
    too_long: int  # with their fields filled in: they would be rejected when the audience is frozen
    countries: list[tuple[str, int]]
    segments_least: int  # of one message, over a sample
    segments_most: int
    segments_total: int
    lacking_fields: dict[str, int]  # contacts of the sample without a value for a field
    seconds: float | None  # at the campaign's rate; None where there is none


def of(campaign: Campaign) -> Forecast:
    everyone = _contacts(campaign)
    suppressed = everyone.filter(_is_suppressed(campaign))
    excluded = _excluded(campaign)
    kept = everyone.exclude(excluded) if excluded else everyone
    reached = kept.exclude(_is_suppressed(campaign))
    countries = list(reached.values_list("country").annotate(n=Count("pk")).order_by("-n", "country")[:COUNTRIES])
    too_long = merged_lengths.count_too_long(campaign, reached)
    recipients = reached.count() + len(campaign.extra_numbers) - too_long
    least, most, average, lacking = _segments(campaign, reached)
    rates = [rate for rate in (campaign.rate_per_second, campaign.application.rate_per_second) if rate]
    return Forecast(
        recipients=recipients,
        suppressed=suppressed.count(),
        excluded=everyone.count() - kept.count(),
        too_long=too_long,
        countries=countries,
        segments_least=least,
        segments_most=most,
        segments_total=round(average * recipients),
        lacking_fields=lacking,
        seconds=recipients / min(rates) if rates else None,
    )


def _contacts(campaign: Campaign) -> QuerySet[Contact]:
    members = GroupMembership.objects.filter(contact=OuterRef("pk"), group__in=campaign.groups.all())
    return Contact.objects.filter(Exists(members))


def _excluded(campaign: Campaign) -> Q | None:
    if not campaign.excluded_groups.exists():
        return None
    return Q(Exists(GroupMembership.objects.filter(contact=OuterRef("pk"), group__in=campaign.excluded_groups.all())))


def _is_suppressed(campaign: Campaign) -> Q:
    stopping = SuppressionEntry.objects.filter(
        number=OuterRef("number"), channel__in=channels.of(campaign).suppressed_on
    )
    return Q(Exists(stopping))


def _segments(campaign: Campaign, reached: QuerySet[Contact]) -> tuple[int, int, float, dict[str, int]]:
    """Least, most and average segments, and who lacks a field, over a sample of the audience."""
    template = merge_fields.parse(campaign.text)
    count = channels.of(campaign).segments
    if not template.fields:
        each = count(campaign.text)
        return each, each, each, {}
    counts, lacking = [], dict.fromkeys(template.fields, 0)
    for contact in reached.order_by("pk")[:SAMPLE]:
        values = merge_fields.with_derived(values_of(contact))
        counts.append(count(merge_fields.render(template, values)))
        for name in template.fields:
            lacking[name] += not values.get(name)
    counts = counts or [count(campaign.text)]
    return min(counts), max(counts), sum(counts) / len(counts), {name: n for name, n in lacking.items() if n}


def as_contact(text: str, contact: Contact) -> str:
    """The text as one contact would read it."""
    return merge_fields.render(merge_fields.parse(text), merge_fields.with_derived(values_of(contact)))

"""The same text to the same people within a day: most often a launch by mistake, so it needs a reason."""

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services.ledger import open_acts
from messaging import msisdn
from messaging.models import Campaign, CampaignState
from messaging.services.audience import given_numbers
from messaging.subscribers import subscriber

WITHIN = open_acts.WITHIN
OPEN_AT_MOST = 200  # open requests that are looked at one by one
TESTS_AT_MOST = 20


def campaigns_like(draft: Campaign) -> QuerySet[Campaign]:
    """Campaigns of the last day, or about to start, that say the same on the same channel; tests do not count."""
    since = timezone.now() - WITHIN
    same = Campaign.objects.filter(channel=draft.channel, text=draft.text, channel_options=draft.channel_options)
    return (
        same.filter(Q(launched_at__gte=since) | _about_to_start())
        .exclude(pk=draft.pk)
        .exclude(kind=Campaign.Kind.TEST)
        .order_by("-pk")
    )


def _about_to_start() -> Q:
    """Campaigns that start at their moment, or as soon as Laaffic accepts again: those held before their freezing."""
    by_account = Q(state=CampaignState.HELD, account_hold__isnull=False, audience=Campaign.Audience.OPEN)
    return Q(state=CampaignState.SCHEDULED) | by_account


def still_open(draft: Campaign) -> list[Campaign]:
    """Campaigns with the same text that share a group or audience with this one, and are not frozen; at most five."""
    unfrozen = campaigns_like(draft).exclude(audience=Campaign.Audience.FROZEN)
    shared = Q(groups__in=draft.groups.all()) | Q(audiences__in=draft.audiences.all())
    return list(unfrozen.filter(shared).distinct()[:5])


def without_outcome(draft: Campaign) -> LedgerEntry | None:
    """The newest request of the last day that nobody knows the outcome of, and that said the same to some of these."""
    shared = (
        Q(paste=draft.paste_id, paste__isnull=False)
        | Q(groups__in=draft.groups.values("pk"))
        | Q(audiences__in=draft.audiences.values("pk"))
    )
    same = Campaign.objects.filter(channel=draft.channel, text=draft.text, channel_options=draft.channel_options)
    same = same.filter(application=draft.application, kind__in=_alike(draft)).exclude(pk=draft.pk)
    opened = open_acts.rows().filter(about_kind="campaign", about_id__in=same.values("pk"))
    given = _subscribers(draft)
    for entry in opened.filter(application=draft.application)[:OPEN_AT_MOST]:
        other = Campaign.objects.get(pk=entry.about_id or 0)
        has_both = Campaign.objects.filter(shared, pk=other.pk).exists()
        if has_both or not given.isdisjoint(_subscribers(other)):
            return entry
    return None


def waiting_test(draft: Campaign, number: str, by: User | None) -> Campaign | None:
    """A draft's test to this number that the same person has launched within a day, and of which nothing has left."""
    tests = Campaign.objects.filter(
        kind=Campaign.Kind.TEST,
        state__in=[CampaignState.SCHEDULED, CampaignState.RUNNING],
        created_at__gte=timezone.now() - WITHIN,
        created_by=by,
        application=draft.application_id,
        channel=draft.channel,
        channel_options=draft.channel_options,
        sender_id=draft.sender_id or draft.application.sender_id,
        text=draft.text,
    )
    wanted = subscriber(msisdn.parse(number).number)
    for test in tests.order_by("-pk")[:TESTS_AT_MOST]:
        if wanted in _subscribers(test):
            has_left = LedgerEntry.objects.filter(about_kind="campaign", about_id=test.pk).exists()
            return None if has_left else test
    return None


def _subscribers(campaign: Campaign) -> set[str]:
    """The subscribers of the numbers that were given one by one, however they were written."""
    return set(map(subscriber, given_numbers.valid_numbers(campaign)))


def _alike(draft: Campaign) -> list[str]:
    """A test is not a repeat of a campaign, nor a campaign of a test."""
    tests = [Campaign.Kind.TEST.value]
    return tests if draft.kind == Campaign.Kind.TEST else [kind for kind in Campaign.Kind.values if kind not in tests]

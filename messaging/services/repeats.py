"""The same text to the same people within a day: most often a launch by mistake, so it needs a reason."""

import datetime as dt

from django.db.models import Q, QuerySet
from django.utils import timezone

from messaging.models import Campaign, CampaignState, MessageState

WITHIN = dt.timedelta(hours=24)
# Whoever is in one of these has not had the text.
NOT_HAD = (MessageState.SUPPRESSED, MessageState.CANCELLED, MessageState.REJECTED)


def campaigns_like(draft: Campaign, now: dt.datetime | None = None) -> QuerySet[Campaign]:
    """Campaigns of the last day, or about to start, that say the same on the same channel; tests do not count."""
    since = (now or timezone.now()) - WITHIN
    same = Campaign.objects.filter(channel=draft.channel, text=draft.text, channel_options=draft.channel_options)
    is_of_today = Q(launched_at__gte=since) | Q(state=CampaignState.SCHEDULED)
    return same.filter(is_of_today).exclude(pk=draft.pk).exclude(kind=Campaign.Kind.TEST).order_by("-pk")


def still_open(draft: Campaign) -> list[Campaign]:
    """Those of them whose recipients are not all known yet, and whose groups this one has too."""
    unfrozen = campaigns_like(draft).exclude(audience=Campaign.Audience.FROZEN)
    return list(unfrozen.filter(groups__in=draft.groups.all()).distinct()[:5])

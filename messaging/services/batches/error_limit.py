"""A campaign that goes wrong stops by itself: so many rejected recipients since it was last resumed, and it is held."""

from django.conf import settings
from django.db.models import F

from laaffic_console.kit.words.said import ngettext
from messaging.models import ActivityTally, Campaign, MessageState

ALL_ALIKE = 20


def limit_of(campaign: Campaign) -> int:
    """0: it is never stopped."""
    return settings.LAAFFIC_ERROR_LIMIT if campaign.error_limit is None else campaign.error_limit


def count(campaign_id: int, rejected: int) -> None:
    """Add to the campaign's errors, in the transaction that rejects the messages."""
    if rejected:
        Campaign.objects.filter(pk=campaign_id).update(errors=F("errors") + rejected)


def nobody_passes(campaign_id: int) -> bool:
    """Whether ALL_ALIKE messages or more were rejected since it was last resumed, and none was ever accepted."""
    if not Campaign.objects.filter(pk=campaign_id, errors__gte=ALL_ALIKE).exists():
        return False
    return not ActivityTally.objects.filter(campaign_id=campaign_id, state=MessageState.ACCEPTED).exists()


def reason_to_hold(campaign_id: int) -> str:
    """One sentence when the limit is reached, else nothing."""
    campaign = Campaign.objects.get(pk=campaign_id)
    limit = limit_of(campaign)
    if not limit or campaign.errors < limit:
        return ""
    return ngettext(
        "%(n)d recipient was rejected, and %(limit)d is this campaign's limit. Look at the reason, then resume or "
        "cancel it.",
        "%(n)d recipients were rejected, and %(limit)d is this campaign's limit. Look at the reasons, then resume or "
        "cancel it.",
        campaign.errors,
    ) % {"n": campaign.errors, "limit": limit}

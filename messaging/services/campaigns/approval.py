"""What the rules of approval have to know of a campaign: SMS, MMS and spoken messages."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils import timezone

from laaffic_console.kit.audit.acts import Act
from messaging.models import Campaign
from messaging.services import steps
from messaging.services.approvals import shown
from messaging.services.approvals.approvable import Approvable, Plan
from messaging.services.audience import audience_counts
from messaging.services.campaigns import drafts
from messaging.services.forecast import forecast
from messaging.services.forecast.forecast import Forecast


class CampaignDrafts(Approvable):
    """SMS, MMS and spoken messages."""

    model = Campaign
    draft = "campaign"

    def needs_none(self, draft: Campaign) -> bool:
        return draft.kind == Campaign.Kind.TEST

    def prepare(self, pk: int, *, within_request: bool, is_on: bool) -> None:
        campaign = Campaign.objects.select_related("application").get(pk=pk)
        if not (is_on or campaign.shown or campaign.scheduled_at or campaign.local_time or within_request):
            return
        if within_request:
            audience_counts.renew(campaign)
            audience_counts.complete(campaign)
        else:
            audience_counts.complete(campaign, since=timezone.now())

    def locked(self, pk: int) -> Campaign:
        return steps.locked(Campaign, pk)

    def check_ready(self, draft: Campaign) -> None:
        drafts.check_ready(draft)

    def plan(self, draft: Campaign, known: Forecast | None = None) -> Plan:
        planned = known or forecast.of(draft)
        seen = shown.of(draft, planned) if planned.counted.is_done else None
        return Plan(seen, planned.cost.by_currency, by_country=planned.cost)

    def parts(self, draft: Campaign) -> dict[str, str]:
        return shown.parts_of(draft)

    def names_any(self, draft: Campaign, numbers: Sequence[str]) -> bool:
        return audience_counts.names_any(draft, numbers)

    def note(self, draft: Campaign, text: str, by: User | None) -> None:
        steps.note(draft, text, by, Act.APPROVAL)

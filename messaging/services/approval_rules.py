"""When a launch needs a second person, and what their word is bound to."""

from django.conf import settings
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from messaging.models import Approval, Campaign
from messaging.services import audience_counts, forecast, shown
from messaging.services.forecast import Forecast


def is_on() -> bool:
    return bool(settings.LAAFFIC_APPROVAL_RECIPIENTS or settings.LAAFFIC_APPROVAL_COST)


def prepare(campaign_id: int, *, within_request: bool = False) -> None:
    """Count whom it reaches as things stand now, however long that takes: before a lock is held.

    Within a request a large audience is not looked at anew: its start is a job's, which does.
    """
    campaign = Campaign.objects.select_related("application").get(pk=campaign_id)
    if not (is_on() or campaign.shown or campaign.scheduled_at or within_request):
        return
    if within_request:
        audience_counts.renew(campaign)
        audience_counts.complete(campaign)
    else:
        audience_counts.complete(campaign, since=timezone.now())


def why_needed(campaign: Campaign, planned: Forecast) -> str:
    """One sentence; "" where one person is enough."""
    if campaign.kind == Campaign.Kind.TEST:
        return ""
    most, dearest = settings.LAAFFIC_APPROVAL_RECIPIENTS, settings.LAAFFIC_APPROVAL_COST
    if most and planned.recipients > most:
        return _("It goes to more than %(n)s recipients: a second person has to approve it.") % {
            "n": number_format(most, force_grouping=True)
        }
    if dearest and any(cost > dearest for cost in planned.cost.by_currency.values()):
        return _("It is expected to cost more than %(amount)s: a second person has to approve it.") % {
            "amount": number_format(dearest, force_grouping=True)
        }
    if dearest and planned.cost.without_price:
        return _("What it costs is not known for every country: a second person has to approve it.")
    return ""


def missing(campaign: Campaign, planned: Forecast | None = None) -> str:
    """What stands against its launch, in one sentence; "" when nothing does."""
    if not is_on():
        return ""
    planned = planned or forecast.of(campaign)
    if not planned.counted.is_done:
        return _("Its recipients are still being counted. Launch it when all are known.")
    needed = why_needed(campaign, planned)
    if not needed:
        return ""
    approval = latest(campaign)
    if approval is None or approval.outcome == Approval.Outcome.VOID:
        return needed
    if approval.outcome == Approval.Outcome.REFUSED:
        return _("%(name)s refused it: %(why)s") % {"name": approval.decided_by, "why": approval.note}
    if changed := changed_since(approval, campaign, planned):
        return _("It was changed since approval was asked for: %(parts)s. Ask again.") % {"parts": ", ".join(changed)}
    return _("It waits for a second person's approval.") if approval.outcome == Approval.Outcome.ASKED else ""


def latest(campaign: Campaign) -> Approval | None:
    return campaign.approvals.select_related("asked_by", "decided_by").order_by("-pk").first()


def changed_since(approval: Approval, campaign: Campaign, planned: Forecast) -> list[str]:
    """What differs from what the word was asked for; that some are suppressed since does not."""
    seen = shown.from_json(approval.bound_to)
    if seen is None:
        return [_("how it is counted")]
    return shown.changes(seen, shown.of(campaign, planned), fewer_is_fine=True)

"""When a launch needs a second person, and what their word is bound to."""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.models import Approval, Campaign, GroupMembership
from messaging.services import audience_counts, forecast
from messaging.services.forecast import Forecast

# {part: (its name in a sentence, the campaign's fields in it)}: an edit of any of them voids an approval.
PARTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "text": (gettext_lazy("the text"), ("text",)),
    "sender ID": (gettext_lazy("the sender ID"), ("sender_id",)),
    "application": (gettext_lazy("the application"), ("application_id",)),
    "content": (gettext_lazy("what goes with the text"), ("channel", "channel_options", "kind")),
    "numbers": (gettext_lazy("the numbers"), ("extra_numbers",)),
    "schedule": (gettext_lazy("the schedule"), ("scheduled_at", "latest_start_minutes")),
    "limits": (gettext_lazy("rate and limits"), ("rate_per_second", "error_limit")),
    "groups": (gettext_lazy("the groups"), ()),
    "people": (gettext_lazy("who is in the groups"), ()),
}
# What happens to a campaign, or only names it.
NOT_BOUND = {
    *("id", "name", "created_by_id", "created_at", "launched_at", "first_sent_at", "finished_at", "undo_until"),
    *("state", "hold_reason", "account_hold_id", "wait_reason", "errors"),
    *("audience", "audience_cursor", "audience_end", "total"),
    *("dropped_suppressed", "dropped_excluded", "dropped_invalid"),
}


def is_on() -> bool:
    return bool(settings.LAAFFIC_APPROVAL_RECIPIENTS or settings.LAAFFIC_APPROVAL_COST)


def prepare(campaign_id: int) -> None:
    """Count whom it reaches, however long that takes: before a lock is held."""
    if is_on():
        audience_counts.complete(Campaign.objects.select_related("application").get(pk=campaign_id))


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
    if changed := changed_since(approval, campaign):
        return _("It was changed since approval was asked for: %(parts)s. Ask again.") % {"parts": ", ".join(changed)}
    return _("It waits for a second person's approval.") if approval.outcome == Approval.Outcome.ASKED else ""


def latest(campaign: Campaign) -> Approval | None:
    return campaign.approvals.select_related("asked_by", "decided_by").order_by("-pk").first()


def bound_to(campaign: Campaign) -> dict[str, str]:
    """{part: digest} of the draft as it stands."""
    parts: dict[str, Any] = {
        part: [getattr(campaign, field) for field in fields] for part, (_name, fields) in PARTS.items() if fields
    }
    included = sorted(campaign.groups.values_list("pk", flat=True))
    excluded = sorted(campaign.excluded_groups.values_list("pk", flat=True))
    parts["groups"] = [included, excluded]
    parts["people"] = _people({*included, *excluded})
    return {part: hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest() for part, value in parts.items()}


def _people(groups: set[int]) -> list[Any]:
    """How many are in each group and the sum of their ids: a million in tenths of a second, by the index alone.

    A person cannot be added, removed or swapped for another without changing it, but for swaps whose ids add up.
    """
    members = GroupMembership.objects.filter(group__in=groups).order_by("group_id")
    return list(members.values_list("group_id").annotate(n=Count("*"), ids=Sum("contact_id")))


def changed_since(approval: Approval, campaign: Campaign) -> list[str]:
    """The names of the parts that are not what they were; a part that is new counts as changed."""
    now = bound_to(campaign)
    return [str(PARTS[part][0]) for part in PARTS if now[part] != approval.bound_to.get(part)]

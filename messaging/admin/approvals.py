"""Approvals: what waits for a second person, and their word on the page before the launch."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.dashboard.read_only import ReadOnlyAdmin
from messaging.admin.pages import require
from messaging.models import Approval, Campaign
from messaging.services import approval_rules, approvals, campaigns
from messaging.services.forecast import Forecast

COLOURS = {
    Approval.Outcome.ASKED: "warning",
    Approval.Outcome.APPROVED: "success",
    Approval.Outcome.REFUSED: "danger",
    Approval.Outcome.VOID: "default",
}


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    list_display = [
        *("campaign", "shown_outcome", "recipients", "cost", "asked_by", "asked_at", "decided_by", "decided_at", "note")
    ]
    list_filter = ["outcome"]
    list_select_related = ["campaign", "asked_by", "decided_by"]

    @display(description=gettext_lazy("outcome"), label=COLOURS, ordering="outcome")
    def shown_outcome(self, approval: Approval) -> tuple[str, str]:
        return approval.outcome, approval.get_outcome_display()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What is to be decided is the campaign: its page before the launch, or the campaign's own."""
        require(request, "messaging.view_approval")
        approval = self.get_object(request, object_id)
        if approval is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:messaging_campaign_review", args=[approval.campaign_id]))


def act(request: HttpRequest, campaign: Campaign, verb: str) -> HttpResponse:
    """Ask, approve or refuse, by POST; back to the page before the launch."""
    if request.method != "POST" or verb not in ("ask", "approve", "refuse"):
        raise Http404
    require(
        request,
        "messaging.view_campaign",
        "messaging.launch_campaign" if verb == "ask" else "messaging.approve_campaign",
    )
    note = request.POST.get("note", "")
    try:
        if verb == "ask":
            approvals.ask(campaign.pk, by=request.user, note=note)
            messages.success(request, _("Asked. Whoever may approve sees it on the front page."))
        else:
            seen = (request.POST.get("approval", ""), request.POST.get("digest", ""))
            approvals.decide(campaign.pk, by=request.user, approve=verb == "approve", note=note, seen=seen)
            messages.success(request, _("Approved.") if verb == "approve" else _("Refused; your reason is kept."))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    except campaigns.NotAllowed as problem:
        messages.error(request, str(problem))
    return HttpResponseRedirect(reverse("admin:messaging_campaign_review", args=[campaign.pk]))


def shown(request: HttpRequest, campaign: Campaign, planned: Forecast) -> dict[str, Any] | None:
    """What the page before the launch shows of it; None where one person is enough."""
    if not approval_rules.is_on() or not planned.counted.is_done or not approval_rules.why_needed(campaign, planned):
        return None
    approval = approval_rules.latest(campaign)
    missing = approval_rules.missing(campaign, planned)
    is_asked = approval is not None and approval.outcome == Approval.Outcome.ASKED
    is_own = is_asked and (approval.asked_by_id == request.user.pk or approvals.is_author(campaign, request.user))
    pk, digest = approvals.identity(approval) if approval else ("", "")
    return {
        "id": pk,
        "digest": digest,
        "approval": approval,
        "given": not missing,
        "missing": missing,
        "may_decide": is_asked and not is_own and request.user.has_perm("messaging.approve_campaign"),
        "may_ask": bool(missing) and request.user.has_perm("messaging.launch_campaign"),
    }

"""The word that sends the rest of a campaign without waiting for the reports of the few first."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from laaffic_console.kit.pages import require
from messaging.admin.rules.by_word import by_word_view
from messaging.models import Campaign, CampaignState
from messaging.services.campaigns import canaries
from messaging.services.tallies import counting


def go_on_view(admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    require(request, "messaging.view_campaign", "messaging.launch_campaign")
    return by_word_view(
        admin,
        request,
        campaign,
        canaries.go_on,
        longest=150,
        done=_done,
        template="messaging/campaign/go_on.html",
        title=_("Go on now"),
        shown=lambda: {"few_first": canaries.shown(campaign, counting.state_counts(campaign))},
    )


def _done(campaign: Campaign) -> str:
    """The word lifts nothing else that keeps it."""
    if campaign.state in (CampaignState.PAUSED, CampaignState.HELD):
        return _("The rest waits for no more reports, and your reason is kept. Nothing leaves before it is resumed.")
    return _("The rest is sent now; your reason is kept.")

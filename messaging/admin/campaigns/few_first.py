"""The word that sends the rest of a campaign without waiting for the reports of the few first."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from messaging.admin.pages import require
from messaging.admin.rules.by_word import by_word_view
from messaging.models import Campaign
from messaging.services.batches import counting
from messaging.services.campaigns import canaries


def go_on_view(admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    require(request, "messaging.view_campaign", "messaging.launch_campaign")
    return by_word_view(
        admin,
        request,
        campaign,
        canaries.go_on,
        longest=150,
        done=_("The rest is sent now; your reason is kept."),
        template="messaging/campaign/go_on.html",
        title=_("Go on now"),
        shown=lambda: {"few_first": canaries.shown(campaign, counting.state_counts(campaign))},
    )

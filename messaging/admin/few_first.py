"""The word that sends the rest of a campaign without waiting for the reports of the few first."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from laaffic_console.kit.people import signed_in
from messaging.admin.pages import page, require
from messaging.models import Campaign
from messaging.services.batches import counting
from messaging.services.campaigns import canaries
from messaging.services.refusals import NotAllowed


class GoOnForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=150,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept in the campaign's history, with your name."),
    )


def go_on_view(admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    require(request, "messaging.view_campaign", "messaging.launch_campaign")
    form = GoOnForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            canaries.go_on(campaign.pk, reason=form.cleaned_data["reason"], by=signed_in(request))
        except NotAllowed as problem:
            messages.error(request, str(problem))
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
        else:
            messages.success(request, _("The rest is sent now; your reason is kept."))
        return HttpResponseRedirect(reverse("admin:messaging_campaign_change", args=[campaign.pk]))
    few_first = canaries.shown(campaign, counting.state_counts(campaign))
    return page(
        admin, request, "messaging/go_on.html", _("Go on now"), form=form, campaign=campaign, few_first=few_first
    )

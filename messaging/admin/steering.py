"""Beside a campaign's own page: a word on unknown messages, another pace while it runs, and what comes after it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from messaging.admin.pages import blame, page, require
from messaging.models import Campaign, CampaignState
from messaging.services import campaigns, counting, follow_ups, resolving, unknown

FOLLOW_UPS = {
    "copy": (gettext_lazy("Copy"), follow_ups.copy),
    "retry": (gettext_lazy("Retry the failed"), follow_ups.retry_failed),
    "new": (gettext_lazy("Send to new contacts"), follow_ups.to_new_contacts),
}


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=150,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept with each message, with your name."),
    )


class PaceForm(forms.Form):
    rate_per_second = forms.IntegerField(
        label=gettext_lazy("Recipients a second"),
        min_value=1,
        max_value=100_000,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Empty: as fast as the application allows. The next batch keeps it."),
    )


def unknown_view(admin: ModelAdmin, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """What is known of each lost answer, and two buttons: send again, write off."""
    require(request, "messaging.view_campaign", "messaging.resolve_campaign")
    form = ReasonForm(request.POST or None)
    words = {"send_again": resolving.send_again, "write_off": resolving.write_off}
    if request.method == "POST" and request.POST.get("word") in words and form.is_valid():
        settled = words[request.POST["word"]](campaign.pk, reason=form.cleaned_data["reason"], by=request.user)
        said = ngettext("%(n)d message was settled by your word.", "%(n)d messages were settled by your word.", settled)
        messages.success(request, said % {"n": settled})
        return _back(campaign)
    return page(
        admin,
        request,
        "messaging/unknown.html",
        campaign.name,
        campaign=campaign,
        form=form,
        lost=unknown.of(campaign),
        how_many=counting.state_counts(campaign)["unknown"],
    )


def pace_view(admin: ModelAdmin, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    require(request, "messaging.view_campaign", "messaging.launch_campaign")
    form = PaceForm(request.POST or None, initial={"rate_per_second": campaign.rate_per_second})
    if request.method == "POST" and form.is_valid() and _change_pace(request, campaign, form):
        return _back(campaign)
    return page(admin, request, "messaging/pace.html", campaign.name, campaign=campaign, form=form)


def _change_pace(request: HttpRequest, campaign: Campaign, form: PaceForm) -> bool:
    given: dict[str, Any] = form.cleaned_data
    try:
        campaigns.change_pace(campaign.pk, rate_per_second=given["rate_per_second"], by=request.user)
    except ValidationError as problem:
        blame(form, problem)
        return False
    except campaigns.NotAllowed as problem:
        messages.error(request, str(problem))
    return True


def follow_ups_of(campaign: Campaign, counts: dict[str, int]) -> list[tuple[str, Any]]:
    """(verb, its words) of what makes sense after this campaign."""
    over = campaign.state in (CampaignState.FINISHED, CampaignState.CANCELLED)
    sense = {
        "copy": True,
        "retry": over and bool(counts["rejected"] or counts["undelivered"]),
        "new": over and campaign.kind == Campaign.Kind.CAMPAIGN,
    }
    return [(verb, words) for verb, (words, _service) in FOLLOW_UPS.items() if sense[verb]]


def follow_up_view(request: HttpRequest, campaign: Campaign, verb: str) -> HttpResponse:
    """Make the draft, and open it."""
    require(request, "messaging.view_campaign", "messaging.add_campaign")
    if request.method != "POST" or verb not in FOLLOW_UPS:
        raise Http404
    try:
        draft = FOLLOW_UPS[verb][1](campaign.pk, by=request.user)
    except campaigns.NotAllowed as problem:
        messages.error(request, str(problem))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, _("A draft. Nothing is sent before you launch it."))
        return HttpResponseRedirect(reverse("admin:messaging_campaign_change", args=[draft.pk]))
    return _back(campaign)


def _back(campaign: Campaign) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:messaging_campaign_change", args=[campaign.pk]))

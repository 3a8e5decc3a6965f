"""Two pages beside a campaign's own: a person's word on unknown messages, and another pace while it runs."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from messaging.admin.pages import blame, page, require
from messaging.models import Campaign
from messaging.services import campaigns, counting, resolving, unknown


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


def _back(campaign: Campaign) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:messaging_campaign_change", args=[campaign.pk]))

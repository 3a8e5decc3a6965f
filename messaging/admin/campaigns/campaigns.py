"""A campaign's own pages, of whichever channel, and what their buttons do."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy

from laaffic_console.exporting import delivery
from laaffic_console.kit.pages import own_page, page, page_of, require
from messaging.admin.campaigns import campaign_actions, campaign_comparison, campaign_page, few_first
from messaging.admin.campaigns.composed_campaigns import ComposedCampaignAdmin, launched_meanwhile
from messaging.admin.composing import before_launch, pasted_numbers
from messaging.admin.rules import approvals, calendars
from messaging.admin.shared import buttons, channel_pages, proof_panel, resuming
from messaging.models import Campaign, CampaignState
from messaging.registered import export_kinds
from messaging.services.campaigns import campaigns, starting
from messaging.services.tallies import counting

Verb = Callable[..., Campaign]
CampaignView = Callable[[Any, HttpRequest, Campaign], HttpResponse]

# What may be done in which state: (verb, its words, what is asked first, the service).
BUTTONS: dict[str, tuple[Any, Any, Verb]] = {
    buttons.TAKE_BACK: (gettext_lazy("Back to draft"), "", starting.take_back),
    "pause": (gettext_lazy("Pause"), "", campaigns.pause),
    buttons.RESUME: (gettext_lazy("Resume"), "", campaigns.resume),
    "cancel": (
        gettext_lazy("Cancel"),
        gettext_lazy("Cancel this campaign? What has not left will never be sent."),
        campaigns.cancel,
    ),
}
BUTTONS_OF = {
    CampaignState.SCHEDULED: ["pause", "cancel"],
    CampaignState.RUNNING: ["pause", "cancel"],
    CampaignState.PAUSED: [buttons.RESUME, "cancel"],
    CampaignState.HELD: [buttons.RESUME, "cancel"],
}


def buttons_of(campaign: Campaign) -> list[str]:
    verbs = BUTTONS_OF.get(CampaignState(campaign.state), [])
    return [buttons.TAKE_BACK, *verbs] if starting.may_be_taken_back(campaign) else verbs


@admin.register(Campaign)
class CampaignAdmin(ComposedCampaignAdmin):
    """SMS campaigns are composed here; the pages below are those of every campaign."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("paste/", wrap(pasted_numbers.view), name="messaging_campaign_paste"),
            path("compare/", wrap(self.compare_view), name="messaging_campaign_compare"),
            path("<int:pk>/review/", wrap(self.review_view), name="messaging_campaign_review"),
            path("<int:pk>/approval/<slug:verb>/", wrap(self.approval_view), name="messaging_campaign_approval"),
            path("<int:pk>/test/", wrap(self.test_view), name="messaging_campaign_test"),
            path("<int:pk>/unknown/", wrap(self.unknown_view), name="messaging_campaign_unknown"),
            path("<int:pk>/recipients/<slug:kind>/", wrap(self.export_view), name="messaging_campaign_recipients"),
            path("<int:pk>/dossier/", wrap(self.dossier_view), name="messaging_campaign_dossier"),
            path("<int:pk>/prove/", wrap(self.prove_view), name="messaging_campaign_prove"),
            path("<int:pk>/pace/", wrap(self.pace_view), name="messaging_campaign_pace"),
            path("<int:pk>/outside-hours/", wrap(self.outside_hours_view), name="messaging_campaign_outside_hours"),
            path("<int:pk>/go-on/", wrap(self.go_on_view), name="messaging_campaign_go_on"),
            path("<int:pk>/after/<slug:verb>/", wrap(self.follow_up_view), name="messaging_campaign_after"),
            path("<int:pk>/do/<slug:verb>/", wrap(self.verb_view), name="messaging_campaign_do"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        campaign = self.get_object(request, object_id)
        if campaign is not None and campaign.state != CampaignState.DRAFT:
            return launched_meanwhile(request) or self.campaign_view(request, campaign)
        if campaign is not None and (form_page := channel_pages.of(campaign).form):
            return HttpResponseRedirect(reverse(form_page, args=[campaign.pk]))
        return super().change_view(request, object_id, form_url, extra_context)

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        return campaign_comparison.view(self, request)

    def campaign_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        may_act = request.user.has_perm("messaging.launch_campaign")
        progress = counting.progress(campaign)
        # A hold of the account keeps these seconds, and asks for buttons of its own.
        is_undo_open = bool(campaign.undo_until and campaign.state == CampaignState.SCHEDULED)
        verbs = buttons_of(campaign) if may_act and not is_undo_open else []
        new_cost = resuming.new_cost(campaign) if buttons.RESUME in verbs else {}
        return page(
            channel_pages.admin_of(campaign, request, self.admin_site),
            request,
            "messaging/campaign/campaign.html",
            campaign.name,
            follow_ups=campaign_actions.follow_ups_of(request, campaign, progress["counts"]),
            buttons=[(verb, *BUTTONS[verb][:2]) for verb in verbs],
            shown_end=resuming.shown(campaign),
            end_passed=resuming.end_passed(campaign),
            new_cost=new_cost,
            is_undo_open=is_undo_open,
            **campaign_page.context(request, campaign, progress),
        )

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._shown(before_launch.view, request, pk)

    def approval_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        return approvals.act(request, self._get(request, pk), verb)

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A test message is a campaign to one number: there is one door out. It fills in who has that number."""
        require(request, "messaging.view_campaign", "messaging.launch_campaign", "messaging.view_contact")
        draft = self._get(request, pk)
        if request.method != "POST":
            raise Http404
        return self._send_test(request, draft, request.POST.get("number", ""), back=own_page(draft, "review"))

    def verb_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        require(request, "messaging.view_campaign", "messaging.launch_campaign")
        if verb not in BUTTONS:
            raise Http404
        campaign, service = self._get(request, pk), BUTTONS[verb][2]
        if request.method != "POST":  # opened in a tab of its own: the buttons are there
            return HttpResponseRedirect(own_page(campaign))
        if verb == buttons.RESUME:
            service = functools.partial(service, agreed=resuming.agreed(request, campaign))
        return buttons.act(request, campaign, verb, service)

    def unknown_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._shown(campaign_actions.unknown_view, request, pk)

    def export_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Each recipient with what happened to it."""
        back = page_of(Campaign, pk)
        parameters = {"campaign": pk}
        return delivery.deliver(
            request, export_kinds.RECIPIENTS, parameters, kind, file_name=f"campaign-{pk}-recipients", back=back
        )

    def dossier_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return proof_panel.dossier_view(request, export_kinds.DOSSIER, Campaign, pk)

    def prove_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return proof_panel.prove_view(self, request, self._get(request, pk))

    def pace_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._shown(campaign_actions.pace_view, request, pk)

    def outside_hours_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._shown(calendars.outside_hours_view, request, pk)

    def go_on_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._shown(few_first.go_on_view, request, pk)

    def follow_up_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        if verb == "retry":
            return self._shown(campaign_actions.retry_view, request, pk)
        return campaign_actions.follow_up_view(request, self._get(request, pk), verb)

    def _shown(self, view: CampaignView, request: HttpRequest, pk: int) -> HttpResponse:
        campaign = self._get(request, pk)
        return view(channel_pages.admin_of(campaign, request, self.admin_site), request, campaign)

    def _get(self, request: HttpRequest, pk: int) -> Campaign:
        return get_object_or_404(Campaign.objects.select_related("application"), pk=pk)

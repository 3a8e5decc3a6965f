"""Composing campaigns of a channel other than SMS: the form is its own; review, page and buttons are shared."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from laaffic_console.kit.pages import own_page
from messaging.admin.campaigns.composed_campaigns import ComposedCampaignAdmin, launched_meanwhile
from messaging.models import Campaign, CampaignState


class ChannelCampaignAdmin(ComposedCampaignAdmin):
    """For a proxy of Campaign, whose form says what `channel_options` hold."""

    channel: ClassVar[str]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).filter(channel=self.channel)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        obj.channel, obj.channel_options = self.channel, form.options()
        super().save_model(request, obj, form, change)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        campaign = self.get_object(request, object_id)
        if campaign is None or campaign.state == CampaignState.DRAFT:
            return super().change_view(request, object_id, form_url, extra_context)
        return launched_meanwhile(request) or HttpResponseRedirect(own_page(campaign))

    # A campaign's permissions count for campaigns of every channel.

    def has_view_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return request.user.has_perm("messaging.view_campaign") or request.user.has_perm("messaging.change_campaign")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.add_campaign")

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return _is_draft(obj) and request.user.has_perm("messaging.change_campaign")

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return obj is not None and _is_draft(obj) and request.user.has_perm("messaging.delete_campaign")


def _is_draft(campaign: Campaign | None) -> bool:
    return campaign is None or campaign.state == CampaignState.DRAFT

"""Composing MMS campaigns. Their review, their page and their buttons are those of every campaign."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from messaging.admin.attachments import clock_of
from messaging.admin.campaigns import CampaignAdmin, CampaignForm
from messaging.models import Campaign, CampaignState, MmsAttachment, MmsCampaign
from messaging.services import attachments
from messaging.services.mms_channel import GIVEN_TITLE, RANDOM_TITLE, MmsOptions


class AttachmentChoices(forms.CheckboxSelectMultiple):
    """The library with thumbnails and clocks."""

    template_name = "messaging/widgets/attachment_choices.html"

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        return {**option, "attachment": value.instance, "clock": clock_of(value.instance)[1]}


class MmsCampaignForm(CampaignForm):
    title = forms.CharField(
        label=gettext_lazy("Title"),
        required=False,  # said by the channel, in words of its own
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("At most 80 characters; phones show it above the text."),
    )
    mms_type = forms.ChoiceField(
        label=gettext_lazy("The title is"),
        choices=[
            (GIVEN_TITLE, gettext_lazy("sent as it is")),
            (RANDOM_TITLE, gettext_lazy("varied by Laaffic (text: one segment)")),
        ],
        initial=GIVEN_TITLE,
        widget=UnfoldAdminRadioSelectWidget,
    )
    attachments = forms.ModelMultipleChoiceField(
        MmsAttachment.objects.none(),
        label=gettext_lazy("Attachments"),
        required=False,
        widget=AttachmentChoices,
        help_text=gettext_lazy("One to three; they go out in this order."),
    )

    class Meta(CampaignForm.Meta):
        model = MmsCampaign
        widgets = {"text": UnfoldAdminTextareaWidget(attrs={"rows": 6})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = MmsOptions.of(self.instance)
        self.fields["attachments"].queryset = MmsAttachment.objects.filter(
            Q(is_archived=False) | Q(pk__in=chosen.attachments)
        ).defer("content", "thumbnail")
        if self.instance.pk:
            self.initial |= chosen.as_json()

    def draft(self, cleaned: dict[str, Any]) -> Campaign:
        campaign = super().draft(cleaned)
        campaign.channel, campaign.channel_options = Campaign.Channel.MMS, self.options().as_json()
        return campaign

    def options(self) -> MmsOptions:
        given = self.cleaned_data
        chosen = tuple(attachment.pk for attachment in given.get("attachments", []))
        return MmsOptions(given.get("title", ""), given.get("mms_type", GIVEN_TITLE), chosen)


@admin.register(MmsCampaign)
class MmsCampaignAdmin(CampaignAdmin):
    form = MmsCampaignForm
    fieldsets = [
        (None, {"fields": ["name", ("application", "sender_id")]}),
        (gettext_lazy("Message"), {"fields": ["title", "mms_type", "attachments", "text"]}),
        *CampaignAdmin.fieldsets[2:],
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).filter(channel=Campaign.Channel.MMS)

    def save_model(self, request: HttpRequest, obj: Campaign, form: MmsCampaignForm, change: bool) -> None:
        options = form.options()
        obj.channel, obj.channel_options = Campaign.Channel.MMS, options.as_json()
        attachments.mark_used(options.attachments)
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        return super(CampaignAdmin, self).get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        campaign = self.get_object(request, object_id)
        if campaign is None or campaign.state == CampaignState.DRAFT:
            return super(CampaignAdmin, self).change_view(request, object_id, form_url, extra_context)
        return HttpResponseRedirect(reverse("admin:messaging_campaign_change", args=[campaign.pk]))

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

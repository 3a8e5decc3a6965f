"""Composing MMS campaigns. Their review, their page and their buttons are those of every campaign."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, IntegerField, Q, Value, When
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from laaffic_console.gateway.models import Channel
from laaffic_console.kit.forms.form_fields import field_of, needed_by_service
from messaging.admin.campaigns.channel_campaigns import ChannelCampaignAdmin
from messaging.admin.composing.compose_form import ComposeForm
from messaging.admin.mms import mms_parts
from messaging.admin.mms.attachments import clock_of
from messaging.admin.shared import channel_pages
from messaging.admin.shared.text_widget import MergeTextWidget
from messaging.models import MmsAttachment, MmsCampaign
from messaging.services.mms.mms_channel import GIVEN_TITLE, RANDOM_TITLE, MmsOptions


class AttachmentChoices(forms.CheckboxSelectMultiple):
    """The library with thumbnails and clocks."""

    template_name = "messaging/widgets/attachment_choices.html"

    class Media:
        js = ["messaging/attachment_choices.js"]

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        return {**option, "attachment": value.instance, "clock": clock_of(value.instance)[1]}


class MmsCampaignForm(ComposeForm):
    channel = Channel.MMS
    own_fields = ("title", "mms_type", "attachments")
    title = forms.CharField(
        label=gettext_lazy("Title"),
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

    class Meta(ComposeForm.Meta):
        model = MmsCampaign
        fields = [name for name in ComposeForm.Meta.fields if name != "sender_id"]  # mmsSend takes none
        widgets = {"text": MergeTextWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        needed_by_service(self, "title")
        chosen = MmsOptions.of(self.instance)
        library = MmsAttachment.objects.filter(Q(is_archived=False) | Q(pk__in=chosen.attachments))
        if chosen.attachments:  # first, in the order in which they go out
            places = [When(pk=pk, then=Value(place)) for place, pk in enumerate(chosen.attachments)]
            order = Case(*places, default=Value(len(places)), output_field=IntegerField())
            library = library.order_by(order, "-pk")
        field_of(self, "attachments", forms.ModelChoiceField).queryset = library.defer("content", "thumbnail")
        if self.instance.pk:
            self.initial.update(chosen.as_json())

    def _in_order(self, chosen: list[int]) -> tuple[int, ...]:
        """Those that the draft had in their order there, then the others as they were posted: a browser posts boxes in
        the order of the page, whatever the order of the draft."""
        posted = self.data.getlist(self.add_prefix("attachments")) if hasattr(self.data, "getlist") else []
        at = {pk: place for place, pk in reversed([*enumerate(posted)])}
        had = [pk for pk in MmsOptions.of(self.instance).attachments if pk in chosen]
        return (*had, *sorted(set(chosen) - set(had), key=lambda pk: at.get(str(pk), len(at))))

    def options(self) -> dict[str, Any]:
        given = self.cleaned_data
        chosen = self._in_order([attachment.pk for attachment in given.get("attachments", [])])
        return MmsOptions(given.get("title", ""), given.get("mms_type", GIVEN_TITLE), chosen).as_json()


@admin.register(MmsCampaign)
class MmsCampaignAdmin(ChannelCampaignAdmin):
    when_empty = gettext_lazy("Upload an attachment, then write a text to go with it.")
    form = MmsCampaignForm
    channel = Channel.MMS
    fieldsets = [
        (None, {"fields": ["name", "application"]}),
        (gettext_lazy("Message"), {"fields": [*MmsCampaignForm.own_fields, "template_version", "text"]}),
        *ChannelCampaignAdmin.fieldsets[2:],
    ]


channel_pages.register(
    Channel.MMS,
    channel_pages.ChannelPages(
        form="admin:messaging_mmscampaign_change",
        model=MmsCampaign,
        what="messaging/compose/mms.html",
        beside=mms_parts.of,
        has_segments=False,
        has_sender=False,
    ),
)

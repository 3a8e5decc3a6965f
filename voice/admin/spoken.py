"""Writing spoken messages, to groups or to chosen contacts. Review, page and buttons are those of every campaign."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.pages import own_page, require
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.plain_text import sendable
from laaffic_console.laaffic.tts import BY_CODE, MAX_TEXT
from messaging.admin.campaigns.channel_campaigns import ChannelCampaignAdmin
from messaging.admin.composing.compose_form import ComposeForm
from messaging.admin.composing.quick_message import quick_campaign
from messaging.admin.shared import bulk_actions, channel_pages
from messaging.models import Campaign, Contact, MessageState
from messaging.services.campaigns import drafts
from messaging.services.text import merge_samples
from messaging.text import merge_fields
from voice import spoken_length
from voice.admin.spoken_fields import ACCENTS, SpokenFields, SpokenTextWidget
from voice.models import SpokenCampaign
from voice.services.spoken.options import TtsOptions

SPOKEN: tuple[str | tuple[str, ...], ...] = (
    "template_version",
    "text",
    ("language", "language_code"),
    ("accent", "gender"),
    ("speaking_rate", "loop_count"),
)
CALL = (
    *("max_ringing_time", "max_duration", "recall_count", "recall_interval"),
    *("delay_play", "delay_hangup", "display_number"),
)


class SpokenCampaignForm(SpokenFields, ComposeForm):
    channel = Channel.VOICE
    own_fields = tuple(SpokenFields.base_fields)

    class Meta(ComposeForm.Meta):
        model = SpokenCampaign
        fields = [name for name in ComposeForm.Meta.fields if name != "sender_id"]
        widgets = {"text": SpokenTextWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.keep_spoken(self.instance)

    def options(self) -> dict[str, Any]:
        return self.spoken_options().as_json()


@admin.register(SpokenCampaign)
class SpokenCampaignAdmin(ChannelCampaignAdmin):
    when_empty = gettext_lazy("Write a text: it is read out to each contact in a call of its own.")
    form = SpokenCampaignForm
    channel = Channel.VOICE
    application_channel = Channel.VOICE
    fieldsets = [
        (None, {"fields": ["name", "application"]}),
        (gettext_lazy("What is said"), {"fields": SPOKEN}),
        (gettext_lazy("The call"), {"fields": CALL}),
        *ChannelCampaignAdmin.fieldsets[2:],
    ]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("length/", wrap(self.length_view), name="voice_spokencampaign_length"), *super().get_urls()]

    def length_view(self, request: HttpRequest) -> JsonResponse:
        """{"said": "about 7 s"}: the length of the text that is being written, with merge fields of a usual length."""
        require(request, "messaging.add_campaign")
        if request.method != "POST":
            raise Http404
        text = request.POST.get("text", "")[:MAX_TEXT]
        rate, times = _number(request.POST.get("speaking_rate"), 1.0), _number(request.POST.get("loop_count"), 1.0)
        return JsonResponse({"said": _about(_usual(text), max(0.25, min(rate, 4.0)), int(max(1, min(times, 9))))})


def _number(given: str | None, otherwise: float) -> float:
    try:
        return float(given or otherwise)
    except ValueError:
        return otherwise


def _usual(text: str) -> str:
    """The text with merge fields replaced by texts of a usual length; unchanged while a field is only half written."""
    try:
        template = merge_fields.parse(text)
    except merge_fields.MergeError:
        return text
    if not template.fields:
        return text
    return merge_fields.render(template, {name: usual for name, (_s, usual, _l) in merge_samples.stand_ins().items()})


def _about(text: str, rate: float, times: int) -> str:
    seconds = round(spoken_length.seconds(text, rate=rate, times=times))
    if not seconds:
        return ""
    return ngettext("about %(n)d second", "about %(n)d seconds", seconds) % {"n": seconds}


# From chosen contacts.


class SpokenQuickForm(SpokenFields):
    application = forms.ModelChoiceField(
        Application.objects.filter(channel=Channel.VOICE, is_active=True),
        empty_label=gettext_lazy("Select value"),
        label=gettext_lazy("Application"),
        widget=UnfoldAdminSelectWidget,
    )
    text = forms.CharField(label=gettext_lazy("Text"), max_length=MAX_TEXT, widget=SpokenTextWidget())
    field_order = ["application", "text"]

    def clean_text(self) -> str:
        text = sendable(self.cleaned_data["text"])
        if problem := drafts.problem_with_text(text, MAX_TEXT):
            raise ValidationError(problem)
        return text


def say_to_contacts(model_admin: Any, request: HttpRequest, chosen: QuerySet[Contact]) -> HttpResponse | None:
    """The contacts' action: makes a draft to exactly these contacts, and opens its review."""
    require(request, "messaging.add_campaign", "messaging.view_contact")
    form = SpokenQuickForm(request.POST if "_confirmed" in request.POST else None)
    if form.is_bound and form.is_valid():
        content = {"application": form.cleaned_data["application"], "text": form.cleaned_data["text"], "sender_id": ""}
        options = form.spoken_options().as_json()
        draft = quick_campaign(form, chosen, request, channel=Channel.VOICE, channel_options=options, **content)
        if draft is not None:
            return HttpResponseRedirect(own_page(draft, "review"))
    return bulk_actions.form_page(
        model_admin, request, chosen, action="say", title=_("Send a spoken message"), form=form, button=_("Review")
    )


# On the pages of every campaign.


@dataclass(frozen=True, slots=True)
class ShownSpoken:
    options: TtsOptions
    language: str
    accent: str
    length: str


def beside(campaign: Campaign) -> channel_pages.Beside:
    options = TtsOptions.of(campaign)
    spoken = options.spoken
    language = BY_CODE.get(spoken.language)
    shown = ShownSpoken(
        options,
        _(language.name) if language else spoken.language,
        str(ACCENTS.get(spoken.accent, spoken.accent)),
        _about(_usual(campaign.text), spoken.speaking_rate, spoken.loop_count),
    )
    return channel_pages.Beside("voice/spoken.html", shown)


def call_words(recipients: int) -> str:
    return ngettext("Call %(n)s number", "Call %(n)s numbers", recipients) % {"n": number(recipients)}


channel_pages.register(
    Channel.VOICE,
    channel_pages.ChannelPages(
        form="admin:voice_spokencampaign_change",
        model=SpokenCampaign,
        what="voice/spoken_compose.html",
        folds=(("call", gettext_lazy("The call"), CALL),),
        beside=beside,
        button=call_words,
        has_segments=False,
        has_replies=False,
        preview=gettext_lazy("As they will hear it"),
        preview_of=gettext_lazy("As %(who)s hears it"),
        state_words={
            MessageState.DELIVERED.key: gettext_lazy("Answered"),
            MessageState.UNDELIVERED.key: gettext_lazy("Not answered"),
            MessageState.ACCEPTED.key: gettext_lazy("Called, no end yet"),
        },
    ),
)

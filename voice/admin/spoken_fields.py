"""Every parameter of a spoken message (sendCode) except the number, for each form that asks for them."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from laaffic_console.kit.words.plain_text import capitals
from laaffic_console.laaffic import Spoken
from laaffic_console.laaffic.tts import BY_CODE, FASTEST, FEMALE, LANGUAGES, MALE, MAX_TEXT, SLOWEST
from messaging.admin.shared.text_widget import MergeTextWidget
from messaging.models import Campaign
from voice.services.spoken.options import TtsOptions

OTHER = "other"
# Calling codes that the vendor uses as accents → the place where people speak so.
ACCENTS = {
    "1": gettext_lazy("United States"),
    "31": gettext_lazy("Netherlands"),
    "32": gettext_lazy("Belgium"),
    "34": gettext_lazy("Spain"),
    "44": gettext_lazy("United Kingdom"),
    "45": gettext_lazy("Denmark"),
    "61": gettext_lazy("Australia"),
    "63": gettext_lazy("Philippines"),
    "91": gettext_lazy("India"),
    "358": gettext_lazy("Finland"),
    "359": gettext_lazy("Bulgaria"),
    "420": gettext_lazy("Czechia"),
}


def spoken_languages() -> list[tuple[str, Any]]:
    return [(each.code, format_lazy("{} ({})", gettext_lazy(each.name), each.code)) for each in LANGUAGES]


def whole(label: Any, least: int, most: int, help_text: Any, **given: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget,
        **given,
    )


class SpokenTextWidget(MergeTextWidget):
    limit = MAX_TEXT

    class Media:
        js = ["voice/spoken.js"]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        given = {"rows": 5, "data-spoken": reverse("admin:voice_spokencampaign_length"), **(attrs or {})}
        return super().get_context(name, value, given)


class SpokenFields(forms.Form):
    """A mixin; `text` is declared by the class that uses it."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[
            *spoken_languages(),
            (OTHER, gettext_lazy("another …")),
        ],
        initial="EN",
        widget=UnfoldAdminSelectWidget,
    )
    language_code = forms.CharField(
        label=gettext_lazy("Its code at Laaffic"),
        required=False,
        max_length=5,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For a language that is not in the list, two to five letters."),
    )
    accent = forms.ChoiceField(
        label=gettext_lazy("Accent"),
        required=False,
        choices=[
            ("", gettext_lazy("the language's own")),
            *((code, format_lazy("{} (+{})", place, code)) for code, place in ACCENTS.items()),
        ],
        widget=UnfoldAdminSelectWidget(
            attrs={"data-accents": ";".join(f"{each.code}:{','.join(each.accents)}" for each in LANGUAGES)}
        ),
    )
    gender = forms.TypedChoiceField(
        label=gettext_lazy("Voice"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", gettext_lazy("Laaffic's choice")),
            (FEMALE, gettext_lazy("female")),
            (MALE, gettext_lazy("male")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    speaking_rate = forms.FloatField(
        label=gettext_lazy("Speed"),
        min_value=SLOWEST,
        max_value=FASTEST,
        initial=1.0,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.05"}),
        help_text=gettext_lazy("0.25 to 4; 1 is as people speak."),
    )
    loop_count = whole(gettext_lazy("Said how often"), 1, 9, gettext_lazy("1 to 9 times in one call."), initial=1)
    max_ringing_time = whole(
        gettext_lazy("Rings for"),
        20,
        120,
        gettext_lazy("Seconds, 20 to 120, until it counts as not answered."),
        initial=60,
    )
    recall_count = whole(
        gettext_lazy("Called again"), 0, 9, gettext_lazy("How often at most, if nobody answers; 0 to 9."), initial=0
    )
    recall_interval = whole(
        gettext_lazy("after"),
        1,
        999,
        gettext_lazy("Minutes, 1 to 999. Only the last call's end is reported."),
        initial=5,
    )
    max_duration = whole(
        gettext_lazy("Hung up after"),
        1,
        120,
        gettext_lazy("Seconds, 1 to 120. Left empty: when all is said."),
        required=False,
    )
    delay_play = whole(
        gettext_lazy("Silence before"), 0, 999, gettext_lazy("Seconds, 0 to 999. Left empty: none."), required=False
    )
    delay_hangup = whole(
        gettext_lazy("Silence after"), 0, 999, gettext_lazy("Seconds, 0 to 999. Left empty: none."), required=False
    )
    display_number = forms.CharField(
        label=gettext_lazy("Display number"),
        required=False,
        max_length=16,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=gettext_lazy("What the callee sees, 7 to 15 digits. Left empty: Laaffic's choice."),
    )

    def keep_spoken(self, campaign: Campaign) -> None:
        """Fill the fields with the values of a draft."""
        options = TtsOptions.of(campaign)
        self.initial.update(options.as_json())
        if options.spoken.language not in BY_CODE:
            self.initial.update(language=OTHER, language_code=options.spoken.language)

    def clean_display_number(self) -> str:
        number: str = self.cleaned_data["display_number"].lstrip("+")
        return "".join(character for character in number if character not in " -()")

    def clean(self) -> dict[str, Any] | None:
        self._check_voice(self.cleaned_data)
        return super().clean()

    def _check_voice(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("language") == OTHER and not cleaned.get("language_code"):
            self.add_error("language_code", _("Say the language's code, or choose one from the list."))
            return
        language = BY_CODE.get(cleaned.get("language", ""))
        if language is None:
            return
        accent = cleaned.get("accent")
        if accent and language.accents and accent not in language.accents:
            spoken = ", ".join(str(ACCENTS.get(code, code)) for code in language.accents)
            self.add_error(
                "accent",
                _("%(language)s is spoken with: %(accents)s.") % {"language": language.name, "accents": spoken},
            )
        if language.female_only and cleaned.get("gender") == MALE:
            self.add_error("gender", _("%(language)s has a female voice only.") % {"language": language.name})

    def spoken_options(self) -> TtsOptions:
        usual = {name: field.initial for name, field in SpokenFields.base_fields.items()}
        given = {**usual, "language_code": "", "accent": "", "display_number": "", **self.cleaned_data}
        code = capitals(given["language_code"]) if given["language"] == OTHER else given["language"]
        spoken = Spoken(
            text="",
            language=code,
            accent=given["accent"],
            gender=given["gender"],
            speaking_rate=given["speaking_rate"],
            loop_count=given["loop_count"],
            recall_count=given["recall_count"],
            recall_interval=given["recall_interval"],
            max_duration=given["max_duration"],
            max_ringing_time=given["max_ringing_time"],
            delay_play=given["delay_play"],
            delay_hangup=given["delay_hangup"],
        )
        return TtsOptions(spoken, given["display_number"])

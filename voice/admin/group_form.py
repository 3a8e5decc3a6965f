"""The form of a group-call task: its parts appear when they apply, and every problem is shown at its own field."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.forms.file_input import FileInput
from laaffic_console.kit.forms.form_fields import call_empty, choices_of, field_of
from laaffic_console.kit.forms.moments import TYPED, MomentInput
from laaffic_console.kit.forms.shared_rows import Digests, SeenForm, digest_of
from laaffic_console.kit.generics import AnyChoiceOfRows, AnyModelForm
from laaffic_console.kit.words import countries
from laaffic_console.kit.words.figures import number as grouped
from laaffic_console.kit.words.plain_text import sendable
from laaffic_console.laaffic.group_calls import MAX_WINDOWS
from messaging.admin.shared.clocks import ByAClock, MomentField
from messaging.models import ContactGroup
from voice.admin.spoken_fields import spoken_languages
from voice.models import AudioFile, GroupTask, TaskKind, TaskState
from voice.services.audio import uploads
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import requesting as group_requests

# The parts that can be off, with the field and its values that switch them on; a part that is off is not checked.
PARTS = {
    ("source", "3"): ("text", "language", "accent", "gender", "speaking_rate"),
    ("source", "1,2"): ("audio",),
    ("source", "2"): ("audio_file",),
    ("hang_up_sms", "on"): (
        *("sms_application", "sms_sender_id", "sms_text", "sms_on_answer", "sms_on_key", "sms_on_failure"),
        "sms_on_ringing",
    ),
    ("sms_on_answer", "on"): ("sms_answer_seconds",),
    ("sms_on_key", "on"): ("sms_key",),
    ("to_agent", "on"): ("agent_group", "agent_on_key", "outbound_control", "callout_rate"),
    ("agent_on_key", "on"): ("agent_key",),
}
WHEN = {field: condition for condition, fields in PARTS.items() for field in fields}
NUMBERS = "numbers"
NUMBER_FIELDS = ("groups", "numbers", "file", "region", "skip_invalid")
CARDS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (
        gettext_lazy("What is played"),
        (
            *("name", "application", "source", "audio", "audio_file", "text", "language", "accent", "gender"),
            *("speaking_rate", "loop_count", "delay_play"),
        ),
    ),
    (gettext_lazy("Who is called"), NUMBER_FIELDS),
    (gettext_lazy("When"), ("send_at", "clock", "windows", "calendar", "latest_end")),
    (gettext_lazy("Who it may reach"), ("purpose",)),
    (gettext_lazy("The call"), ("max_talk", "max_ringing_time", "display_number", "delay_hangup")),
    (
        gettext_lazy("An SMS after the call"),
        (
            *("hang_up_sms", "sms_application", "sms_sender_id", "sms_text", "sms_on_answer", "sms_answer_seconds"),
            *("sms_on_key", "sms_key", "sms_on_failure", "sms_on_ringing"),
        ),
    ),
    (
        gettext_lazy("Transfer to an agent"),
        ("to_agent", "agent_group", "agent_on_key", "agent_key", "outbound_control", "callout_rate"),
    ),
)


class WindowsWidget(forms.MultiWidget):
    template_name = "voice/windows.html"

    def __init__(self) -> None:
        names = [
            format_lazy(said, n=number)
            for number in range(1, MAX_WINDOWS + 1)
            for said in (gettext_lazy("Window {n}, from"), gettext_lazy("Window {n}, until"))
        ]
        super().__init__([forms.TimeInput({"type": "time", "aria-label": name}, format="%H:%M") for name in names])

    def decompress(self, value: Any) -> list[Any]:
        return [None] * (2 * MAX_WINDOWS)


class WindowsField(forms.Field):
    """Up to three stretches of the day, as [["09:00", "12:00"], …]."""

    widget = WindowsWidget

    def prepare_value(self, value: list[Any] | None) -> list[str | None]:
        """The times for the widget's fields, from stored windows or from what was typed."""
        flat: list[str | None] = []
        for window in value or []:
            flat += window if isinstance(window, list) else [window]
        return [*flat, *[None] * (2 * MAX_WINDOWS - len(flat))]

    def clean(self, value: list[str] | None) -> list[list[str]]:
        given = [(time or "").strip() for time in value or []]
        windows = []
        for number, (start, end) in enumerate(zip(given[::2], given[1::2], strict=True), start=1):
            if not start and not end:
                continue
            if not start or not end:
                raise ValidationError(_("Window %(n)d needs both times, or none.") % {"n": number})
            windows.append([as_time(start, number), as_time(end, number)])
        return windows


def as_time(text: str, number: int) -> str:
    try:
        return f"{dt.time.fromisoformat(text):%H:%M}"
    except ValueError:
        raise ValidationError(
            _("Window %(n)d: “%(text)s” is not a time of day.") % {"n": number, "text": text}
        ) from None


class AudioChoice(AnyChoiceOfRows):
    def label_from_instance(self, kept: AudioFile) -> str:
        seconds = round(kept.seconds)
        where = _("at Laaffic") if kept.is_at_laaffic else _("not uploaded")
        if not seconds and not kept.has_content:
            return f"{kept.name} · {where}"
        return f"{kept.name} · {seconds // 60}:{seconds % 60:02d} · {where}"


class GroupTaskForm(ByAClock, SeenForm, AnyModelForm):
    """`audience`: the numbers that were read from the form; None if the task keeps those that it has."""

    audio = AudioChoice(AudioFile.objects.none(), required=False, label=gettext_lazy("Audio file"))
    audio_file = forms.FileField(
        required=False,
        allow_empty_file=True,
        label=gettext_lazy("or a file from this machine"),
        help_text=gettext_lazy("mp3, m4a or wav. It is kept in the library too."),
        widget=FileInput({"accept": ".mp3,.m4a,.wav,audio/*"}),
    )
    windows = WindowsField(required=False, label=gettext_lazy("Allowed times of day"))
    groups = forms.ModelMultipleChoiceField(
        ContactGroup.objects.none(),
        required=False,
        label=gettext_lazy("Groups"),
        widget=UnfoldAdminSelect2MultipleWidget,
    )
    numbers = forms.CharField(
        required=False,
        label=gettext_lazy("Numbers"),
        help_text=gettext_lazy("One a line, with their country codes."),
        widget=forms.Textarea({"rows": 4}),
    )
    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        label=gettext_lazy("or a file of numbers"),
        help_text=gettext_lazy("CSV, XLSX or a plain list, with or without a header."),
        widget=FileInput({"accept": ".csv,.xlsx,.txt"}),
    )
    region = forms.ChoiceField(required=False, label=gettext_lazy("Country of numbers without a country code"))
    skip_invalid = forms.BooleanField(required=False, label=gettext_lazy("Leave out invalid numbers"))

    class Meta:
        model = GroupTask
        fields = [
            *("name", "application", "source", "audio", "text", "language", "accent", "gender", "speaking_rate"),
            *("loop_count", "max_talk", "max_ringing_time", "delay_play", "delay_hangup", "display_number", "send_at"),
            *("calendar", "latest_end", "purpose"),
            *("windows", "hang_up_sms", "sms_application", "sms_sender_id", "sms_text", "sms_on_answer"),
            *("sms_answer_seconds", "sms_on_key", "sms_key", "sms_on_failure", "sms_on_ringing", "to_agent"),
            *("agent_group", "agent_on_key", "agent_key", "outbound_control", "callout_rate"),
        ]
        widgets = {
            "text": forms.Textarea({"rows": 4}),
            "sms_text": forms.Textarea({"rows": 3}),
            "latest_end": MomentInput,
            "send_at": MomentInput,
        }
        field_classes = {"send_at": MomentField}
        help_texts = {
            "send_at": gettext_lazy("Empty: at once."),
            "accent": gettext_lazy("A calling code such as 91. Left empty: the language's own."),
            "speaking_rate": gettext_lazy("0.25 to 4; 1 is as people speak."),
            "loop_count": gettext_lazy("1 to 9."),
            "max_talk": gettext_lazy("1 to 999: calls are ended after this many seconds. Laaffic's name is maxCalls."),
            "max_ringing_time": gettext_lazy("20 to 120."),
            "delay_play": gettext_lazy("0 to 999. Left empty: none."),
            "delay_hangup": gettext_lazy("0 to 999. Left empty: none."),
            "display_number": gettext_lazy("What the callee sees, at most 20 digits. Left empty: Laaffic's choice."),
            "sms_sender_id": gettext_lazy("At most 32 characters. Left empty: the application's."),
            "sms_answer_seconds": gettext_lazy("0 to 9999."),
            "sms_key": gettext_lazy("0 to 9."),
            "hang_up_sms": gettext_lazy("People who want no SMS are then not called either: Laaffic sends it to all."),
            "agent_group": gettext_lazy("Its number at Laaffic, such as 1000019."),
            "agent_on_key": gettext_lazy("Off: every answered call is transferred after the announcement."),
            "agent_key": gettext_lazy("0 to 9."),
            "callout_rate": gettext_lazy("1 to 100."),
        }

    def is_open(self, row: GroupTask) -> bool:
        return row.state == TaskState.DRAFT

    def __init__(self, *args: Any, user: User, reader_zone: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.go_by_clock("send_at", reader_zone)
        self.user = user
        self.audience: group_callees.Audience | None = None
        self.has_numbers = False  # also if they cannot be read
        self._offer_choices()
        zone = {"zone": group_requests.zone_name()}
        self.fields["windows"].help_text = _("Up to three, by the clock of %(zone)s. Left empty: any time.") % zone
        for name in ("send_at", "latest_end"):
            field_of(self, name, forms.DateTimeField).input_formats = TYPED
        said = _("By the console's clock: %(zone)s. What has not left by then is held and asks.")
        self.fields["latest_end"].help_text = said % {"zone": settings.TIME_ZONE}
        for name in self._not_asked():
            del self.fields[name]

    def again(self) -> dict[str, Any]:
        return {**super().again(), "user": self.user}

    def _digests(self, form: Any) -> Digests:
        """Digests of the fields; for the numbers that of the task's, as their field is always shown empty."""
        found = super()._digests(form)
        return found | ({NUMBERS: digest_of(form.instance.numbers_digest)} if NUMBERS in found else {})

    def _say(self, fresh: Any, changed: list[str], shown: Digests) -> None:
        super()._say(fresh, [name for name in changed if name != NUMBERS], shown)
        if NUMBERS not in changed:
            return
        field = self.fields[NUMBERS]
        field.help_text = fresh.fields[NUMBERS].help_text
        words = {"field": field.label, "theirs": grouped(fresh.instance.number_count)}
        if not self.has_numbers:
            said = _("%(field)s: now “%(theirs)s”. You had not changed it, so that is taken over.") % words
        else:
            words["yours"] = grouped(len(self.audience.numbers)) if self.audience else "–"
            said = _("%(field)s: stored is “%(theirs)s”, yours is “%(yours)s”.") % words
        self.add_error(None, said)

    def _offer_choices(self) -> None:
        active = Application.objects.filter(is_active=True)
        for name, channel in (("application", Channel.VOICE), ("sms_application", Channel.SMS)):
            field_of(self, name, forms.ModelChoiceField).queryset = offered = active.filter(channel=channel)
            if not getattr(self.instance, f"{name}_id") and len(only := offered[:2]) == 1:
                self.initial[name] = only[0].pk
        kept = AudioFile.objects.filter(is_archived=False) | AudioFile.objects.filter(pk=self.instance.audio_id)
        field_of(self, "audio", forms.ModelChoiceField).queryset = kept.defer("content")
        words = {"calendar": _("the application's"), "application": _("Select value"), "audio": _("Select value")}
        call_empty(self, **words, sms_application=_("Select value"))
        codes = spoken_languages()
        if self.instance.language not in dict(codes):
            codes.append((self.instance.language, self.instance.language))
        self.fields["language"] = forms.ChoiceField(choices=codes, required=False, label=_("Language"))
        gender = field_of(self, "gender", forms.ChoiceField)
        gender.choices = [("", _("Laaffic's choice")), *choices_of(gender)[1:]]
        field_of(self, "groups", forms.ModelChoiceField).queryset = ContactGroup.objects.filter(is_ad_hoc=False)
        field_of(self, "region", forms.ChoiceField).choices = countries.number_regions()
        if self.instance.number_count:
            self.fields["numbers"].help_text = ngettext(
                "%(n)s number is kept. Leave groups, numbers and file empty to keep it, or say others instead.",
                "%(n)s numbers are kept. Leave groups, numbers and file empty to keep them, or say others instead.",
                self.instance.number_count,
            ) % {"n": grouped(self.instance.number_count)}

    def _not_asked(self) -> list[str]:
        """Fields that the form leaves out: a repetition's or template's numbers; groups and library without rights."""
        left_out: list[str] = []
        if self.instance.is_template or self.instance.kind not in (TaskKind.SEND, TaskKind.UPDATE):
            left_out += NUMBER_FIELDS
        elif (
            not self.user.has_perm("messaging.view_contactgroup")
            or not ContactGroup.objects.filter(is_ad_hoc=False).exists()
        ):
            left_out.append("groups")
        if self.instance.is_template:
            left_out += ["send_at", "clock", "latest_end"]
        if not self.user.has_perm("voice.add_audiofile"):
            left_out.append("audio_file")
        return left_out

    def cards(self) -> Iterator[tuple[Any, list[tuple[forms.BoundField, str]]]]:
        """Title and fields of each card, each field with what must be chosen for it to appear."""
        for title, names in CARDS:
            fields = [(self[name], _condition(name)) for name in names if name in self.fields]
            if fields:
                yield title, fields

    def clean_text(self) -> str:
        return sendable(self.cleaned_data["text"])

    def clean_sms_text(self) -> str:
        return sendable(self.cleaned_data["sms_text"])

    def clean(self) -> dict[str, Any]:
        """Errors in a part that is switched off do not matter: the part stays as it was."""
        cleaned = super().clean() or {}
        for name, (switch, values) in WHEN.items():
            if name in self.fields and not self._is_on(cleaned, switch, values):
                self.errors.pop(name, None)
                cleaned[name] = getattr(self.instance, name, None)
        return cleaned

    def _is_on(self, cleaned: dict[str, Any], switch: str, values: str) -> bool:
        outer = WHEN.get(switch)
        if outer is not None and not self._is_on(cleaned, *outer):
            return False
        chosen = cleaned.get(switch)
        return bool(chosen) if values == "on" else str(chosen) in values.split(",")

    def _post_clean(self) -> None:
        """All errors are reported at once: ranges, rules between fields, the numbers, the audio file."""
        self._take_audio_file()
        super()._post_clean()  # type: ignore[misc]
        try:
            group_requests.check(self.instance)
        except ValidationError as problem:
            self._blame(problem)
        if "numbers" in self.fields:
            self._gather()

    def _take_audio_file(self) -> None:
        upload = self.cleaned_data.get("audio_file")
        if upload is None:
            return
        try:
            kept, _new = uploads.add(uploads.read(upload), uploads.suggested_name(upload.name), by=self.user)
            self.cleaned_data["audio"] = kept
        except ValidationError as problem:
            self.add_error("audio_file", problem.messages)

    def _gather(self) -> None:
        given = {name: self.cleaned_data.get(name) for name in NUMBER_FIELDS}
        self.has_numbers = any((given["groups"], (given["numbers"] or "").strip(), given["file"]))
        if not self.has_numbers:
            if not self.instance.number_count:
                self.add_error("numbers", _("Choose who is called: select groups, paste numbers or choose a file."))
            return
        try:
            self.audience = group_callees.gather(
                groups=list(given["groups"] or []),
                pasted=given["numbers"] or "",
                upload=given["file"],
                region=given["region"] or "",
                skip_invalid=bool(given["skip_invalid"]),
                with_sms=self.instance.hang_up_sms,
            )
        except ValidationError as problem:
            self._blame(problem)

    def _blame(self, problem: ValidationError) -> None:
        for field, sentences in problem.message_dict.items():
            if field == "audio" and "audio_file" in self.errors:
                continue  # the file for it is wrong, which its own field reports
            if field not in self.errors:
                self.add_error(field if field in self.fields else None, sentences)

    def said(self) -> dict[str, list[str]]:
        """Errors by field, for a page that stays as it is."""
        return {field: [str(sentence) for sentence in sentences] for field, sentences in self.errors.items()}


def _condition(name: str) -> str:
    return "=".join(WHEN[name]) if name in WHEN else ""

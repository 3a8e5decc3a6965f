"""The box for numbers on a campaign's form: lines go up a few thousand at a time, each answer says what they hold."""

import json
from typing import Any, ClassVar

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import reverse_lazy
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.models.channels import CAMPAIGN_CHANNELS
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.pages import add_problems, require
from laaffic_console.kit.words.figures import number as grouped
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from messaging.files.pasted_lines import Titles
from messaging.models import Paste
from messaging.services.channels import channels
from messaging.services.contacts import pastes

SALT = "which numbers were pasted"
NAMED = 5  # invalid ones, where the form is shown again
FIELDS = ["numbers", "pasted", "forget_pasted"]


class NumbersWidget(UnfoldAdminTextareaWidget):
    class Media:
        js = ["console/live_counts.js"]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        labels = {"wait": _("Reading …"), "failed": _("They could not be checked now. Save the form to check them.")}
        given = {
            "rows": 5,
            **(attrs or {}),
            "data-pastes": str(reverse_lazy("admin:messaging_campaign_paste")),
            "data-kept": "id_pasted",
            "data-labels": json.dumps(labels),
        }
        return super().get_context(name, value, given)


class PastedField(forms.CharField):
    """Which paste the form goes to, signed."""

    def kept_words(self, value: str) -> str:
        """How many numbers that are, where a form is shown again that came too late."""
        paste = _of(value)
        return grouped(paste.numbers) if paste else _("not kept any more")


class PastedNumbersForm(AnyModelForm):
    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        required=False,
        strip=False,  # a header may begin with a column that has no name
        widget=NumbersWidget,
        help_text=gettext_lazy(
            "One a line, or with commas or semicolons. Paste a CSV file with its header: its column of numbers is "
            "read. Without a header the first number of a line counts."
        ),
    )
    pasted = PastedField(label=gettext_lazy("Numbers"), required=False, widget=forms.HiddenInput)
    forget_pasted = forms.BooleanField(
        label=gettext_lazy("Take out the numbers that are kept"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    paste: Paste | None = None
    channel: ClassVar[str] = Channel.SMS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["pasted"] = signed(self.instance.paste)
        kept = _of(self.data.get("pasted", "")) if self.is_bound else self.instance.paste
        if "numbers" not in self.fields:
            return  # only looked at
        self.fields["numbers"].widget.attrs["data-channel"] = self.channel
        if kept is not None and kept.numbers:
            self.fields["numbers"].help_text = _kept(kept)
        else:
            self.fields["forget_pasted"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is not None:
            try:
                self.paste = _chosen(cleaned)
            except ValidationError as problem:
                self._forget_what_is_gone()
                add_problems(self, problem)
        return cleaned

    def _forget_what_is_gone(self) -> None:
        """Clear a paste that no longer exists from the form: the page would ask for it again and again."""
        if self.data.get("pasted") and _of(self.data["pasted"]) is None:
            given: Any = self.data
            given = given.copy()
            given["pasted"] = ""
            self.data = given


def _kept(paste: Paste) -> SafeString:
    said = _("Numbers that are kept: %(n)s. What is pasted here takes their place.") % {"n": grouped(paste.numbers)}
    lines = [said]
    if paste.invalid:
        left_out = ngettext("%(n)s invalid line is left out:", "%(n)s invalid lines are left out:", paste.invalid)
        lines += [left_out % {"n": grouped(paste.invalid)}, *pastes.in_words(paste.problems, paste.invalid, NAMED)]
    return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines))


def _chosen(cleaned: dict[str, Any]) -> Paste | None:
    """What the form goes to; ValidationError where it holds no number at all."""
    if cleaned.get("forget_pasted"):
        return None
    paste: Paste | None
    text = cleaned.get("numbers") or ""
    if text.strip():
        paste = pastes.from_lines(text.splitlines())
    else:
        said = cleaned.get("pasted") or ""
        paste = _of(said)
        if said and paste is None:
            raise ValidationError({"numbers": _("The numbers pasted here are not kept any more. Paste them again.")})
    if paste is not None and not paste.numbers:
        said = _("There is no valid number in it. Look at its lines, or empty the field.")
        raise ValidationError({"numbers": [said, *pastes.in_words(paste.problems, paste.invalid, NAMED)]})
    return paste


def signed(paste: Paste | None) -> str:
    return signing.Signer(salt=SALT).sign(str(paste.pk)) if paste else ""


def _of(said: str) -> Paste | None:
    try:
        return Paste.objects.filter(pk=signing.Signer(salt=SALT).unsign(said)).first() if said else None
    except signing.BadSignature:
        return None


def view(request: HttpRequest) -> HttpResponse:
    """Some lines of a paste; what all of it holds so far."""
    require(request, "messaging.add_campaign")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    said = request.POST.get("paste", "")
    paste = _of(said) or pastes.begin(by=signed_in(request))
    after, is_last = whole_number(request.POST.get("after", "")) or 0, request.POST.get("last") == "yes"
    lines, head = _lines(request, "text"), _lines(request, "head") if "head" in request.POST else []
    try:
        paste = pastes.add(paste.pk, lines, after=after, is_last=is_last, head=head)
    except ValidationError as problem:
        return JsonResponse({"problem": " ".join(problem.messages)})
    stopped = None
    channel = request.POST.get("channel", "")
    if paste.is_complete and channel in CAMPAIGN_CHANNELS:
        stopped = pastes.suppressed(paste, channels.named(channel).suppressed_on)
    return JsonResponse(
        {
            "paste": signed(paste),
            "lines": paste.lines,
            "numbers": paste.numbers,
            "duplicates": paste.duplicates,
            "invalid": paste.invalid,
            "suppressed": stopped,
            "says": _says(paste, stopped),
            "told": [
                *_column(pastes.titles_of(lines, after=after, head=head)),
                *pastes.in_words(paste.problems, paste.invalid),
                *_merged(paste),
            ],
        }
    )


def _lines(request: HttpRequest, name: str) -> list[str]:
    return request.POST.get(name, "").split("\n")


def _column(titles: Titles | None) -> list[str]:
    """Which one is read, for anyone who meant another."""
    said = _("Numbers are read from the column “%(name)s”.")
    return [said % {"name": titles.name[:60]}] if titles and titles.columns else []


def _says(paste: Paste, stopped: int | None) -> str:
    figures = {"n": grouped(paste.numbers), "twice": grouped(paste.duplicates), "wrong": grouped(paste.invalid)}
    said = _("%(n)s valid, %(twice)s there twice, %(wrong)s invalid") % figures
    suppressed = _("%(n)s suppressed")
    return said if stopped is None else f"{said}, {suppressed % {'n': grouped(stopped)}}"


def _merged(paste: Paste) -> list[str]:
    return [
        _("Line %(line)d: %(number)s is there already") % {"line": line, "number": masked(number)}
        for line, number in paste.merged
    ]

"""The suppression list: numbers pasted or uploaded, what happened to each, and “allow again” with who and why."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.gateway.models import SUPPRESSION_CHANNELS, Channel
from laaffic_console.gateway.models.channels import choices_of
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.forms.file_input import FileInput
from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.lists.paginator import BigTablePaginator
from laaffic_console.kit.masking.masked_admin import MaskedNumbers
from laaffic_console.kit.masking.masks import in_text, masked
from laaffic_console.kit.pages import add_problems, may_see_contacts, page
from laaffic_console.kit.words import countries
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.said import joined
from laaffic_console.kit.words.stored_words import in_words
from messaging import msisdn
from messaging.admin.shared import bulk_actions
from messaging.admin.shared.number_search import SearchedByNumber
from messaging.models import Contact, SuppressionEntry, SuppressionRelease
from messaging.services.contacts import suppression
from messaging.subscribers import spellings, subscriber

REASON_COLOURS = {
    SuppressionEntry.Reason.OPT_OUT: "warning",
    SuppressionEntry.Reason.COMPLAINT: "danger",
    SuppressionEntry.Reason.INVALID: "default",
    SuppressionEntry.Reason.MANUAL: "info",
}

OWN_SOURCES = {suppression.BY_REPLY: gettext_lazy("reply"), "contacts": gettext_lazy("contacts")}  # else a file's name


# An entry for email would stop nothing: who is on its lists is known to Laaffic alone.
STOPPED = [channel for channel in SUPPRESSION_CHANNELS if channel != Channel.EMAIL]


class SuppressForm(forms.Form):
    channel = forms.ChoiceField(
        choices=choices_of(STOPPED),
        initial=Channel.ALL,
        label=gettext_lazy("Channel"),
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.ChoiceField(
        choices=SuppressionEntry.Reason.choices,
        initial="manual",
        label=gettext_lazy("Reason"),
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        max_length=200, required=False, label=gettext_lazy("Note"), widget=UnfoldAdminTextInputWidget
    )


class NumbersForm(SuppressForm):
    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        required=False,
        help_text=gettext_lazy("One a line, as people write them."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
    )
    file = forms.FileField(
        label=gettext_lazy("or a file"),
        required=False,
        allow_empty_file=True,
        help_text=gettext_lazy("CSV, XLSX or a plain list, with or without a header."),
        widget=FileInput(attrs={"accept": ".csv,.xlsx,.txt"}),
    )
    region = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Country of numbers without a country code"),
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("numbers", "file", "region", "channel", "reason", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "region", forms.ChoiceField).choices = countries.number_regions()

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        pasted, upload = cleaned.get("numbers", ""), cleaned.get("file")
        if not pasted.strip() and not upload and "file" not in self.errors:
            raise ValidationError({"numbers": _("Paste some numbers, or choose a file of them.")})
        written = suppression.read_pasted(pasted, cleaned.get("region", ""))
        if upload:
            try:
                uploaded = suppression.read_opt_outs(upload, cleaned.get("region", ""))
            except ValidationError as problem:
                raise ValidationError({"file": problem}) from problem
            written = suppression.Numbers(
                list(dict.fromkeys([*written.good, *uploaded.good])), [*written.invalid, *uploaded.invalid]
            )
        cleaned["written"] = written
        return cleaned


class AllowForm(forms.Form):
    why = forms.CharField(
        max_length=200,
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("It is kept with your name, and shown where the number is."),
        widget=UnfoldAdminTextInputWidget,
    )


def outcome_words(outcome: suppression.Outcome) -> str:
    added = ngettext("%(n)s number is suppressed", "%(n)s numbers are suppressed", outcome.added)
    there = ngettext("%(n)s was on the list already", "%(n)s were on the list already", outcome.already_there)
    said = added % {"n": number(outcome.added)}
    if outcome.already_there:
        said = f"{said}, {there % {'n': number(outcome.already_there)}}"
    return f"{said}."


def allowed_words(allowed: suppression.Allowed) -> str:
    n, still = allowed
    said = ngettext("%(n)s number is allowed again.", "%(n)s numbers are allowed again.", n) % {"n": number(n)}
    if not still:
        return said
    left = ngettext(
        "%(n)s number is still on the list, for another reason or channel. Look it up there.",
        "%(n)s numbers are still on the list, for another reason or channel. Look them up there.",
        still,
    )
    return joined([said, left % {"n": number(still)}])


@admin.register(SuppressionEntry)
class SuppressionEntryAdmin(MaskedNumbers, SearchedByNumber, ExportedList, SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy(
        "Nobody has opted out. People who answer STOP are added automatically; others can be added by hand."
    )
    export_name = "suppression-list"
    is_named_as_a_whole = True
    masked = ("number",)
    typed = ("note", "source")
    list_display = ["number", "channel", "shown_reason", "shown_note", "shown_source", "created_by", "created_at"]
    list_filter = ["channel", "reason"]
    list_select_related = ["created_by"]
    paginator = BigTablePaginator
    show_full_result_count = False
    list_per_page = 50
    actions = ["allow_again"]

    @display(description=gettext_lazy("reason"), label=REASON_COLOURS)
    def shown_reason(self, entry: SuppressionEntry) -> tuple[str, str]:
        return entry.reason, entry.get_reason_display()

    @display(description=gettext_lazy("note"), ordering="note")
    def shown_note(self, entry: SuppressionEntry) -> str:
        return in_text(in_words(entry.note) if entry.source == suppression.BY_REPLY else entry.note) or "–"

    @display(description=gettext_lazy("source"), ordering="source")
    def shown_source(self, entry: SuppressionEntry) -> str:
        return str(OWN_SOURCES.get(entry.source) or in_text(entry.source) or "–")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing leaves the list without a reason: that is what “allow again” is for."""
        return False

    def has_allow_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.delete_suppressionentry")

    @admin.action(description=gettext_lazy("Allow again …"), permissions=["allow_again"])
    def allow_again(self, request: HttpRequest, queryset: QuerySet[SuppressionEntry]) -> HttpResponse | None:
        return bulk_actions.ask(
            self,
            request,
            queryset,
            action="allow_again",
            title=_("Allow again"),
            form_class=AllowForm,
            act=lambda form, chosen: allowed_words(
                suppression.allow_again(chosen, why=form.cleaned_data["why"], by=signed_in(request))
            ),
            explanation=_("Campaigns may send to these numbers again."),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Numbers in, and then what happened to them; to load the answer again adds nothing."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NumbersForm(request.POST or None, request.FILES or None, initial=request.GET.dict())
        if request.method != "POST" or not form.is_valid():
            return page(
                self,
                request,
                "messaging/suppression/suppression_add.html",
                _("Suppress numbers"),
                form=form,
                media=self.media + form.media,
            )
        given = form.cleaned_data
        upload = given["file"]
        outcome = suppression.suppress_written(
            given["written"],
            channel=given["channel"],
            reason=given["reason"],
            note=given["note"],
            by=signed_in(request),
            source=upload.name if upload else "",
        )
        return page(
            self,
            request,
            "messaging/suppression/suppression_result.html",
            _("Suppress numbers"),
            outcome=outcome,
            channel=Channel(given["channel"]).label,
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        entry = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        if not self.has_view_permission(request, entry):
            raise PermissionDenied
        form = AllowForm(request.POST or None)
        if request.method == "POST":
            if not self.has_allow_again_permission(request):
                raise PermissionDenied
            if form.is_valid():
                try:
                    found = SuppressionEntry.objects.filter(pk=entry.pk)
                    allowed = suppression.allow_again(found, why=form.cleaned_data["why"], by=signed_in(request))
                except ValidationError as problem:
                    add_problems(form, problem)
                else:
                    messages.success(request, allowed_words(allowed))
                    return HttpResponseRedirect(reverse("admin:messaging_suppressionentry_changelist"))
        return page(
            self,
            request,
            "messaging/suppression/suppression_entry.html",
            masked(entry.number),
            entry=entry,
            form=form,
            country=_country(entry.number),
            contact=Contact.objects.filter(number__in=spellings(entry.number)).first()
            if may_see_contacts(request)
            else None,
            releases=SuppressionRelease.objects.filter(number__in=spellings(entry.number)).select_related(
                "released_by"
            )[:20],
            may_allow=self.has_allow_again_permission(request),
        )


def _country(number: str) -> str:
    """The country of the number in its current spelling; "" if the number is valid in no country."""
    return msisdn.country_of(subscriber(number))

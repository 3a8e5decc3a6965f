"""Owned numbers: the list, and their settings at Laaffic."""

import copy
import datetime as dt
import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display

from laaffic_console.gateway.models import Application, EntryState
from laaffic_console.kit.forms.file_input import FileInput
from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.forms.kept_forms import asks
from laaffic_console.kit.forms.shared_rows import in_words
from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.pages import add_problems, own_page, page
from laaffic_console.kit.words import dates, plain_text
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from laaffic_console.laaffic import VoicemailFile
from laaffic_console.laaffic.numbers import MAX_VOICEMAIL
from phone_numbers.admin.sync_panel import SyncedListAdmin
from phone_numbers.models import OwnedNumber
from phone_numbers.services import owned_changes, owned_evidence, owned_sync
from phone_numbers.services.refusals import Overtaken

WAS = "_was"  # field of the form: the values that it was filled from
TYPES = {"FIXED": gettext_lazy("Landline"), "MOBILE": gettext_lazy("Mobile")}  # as Laaffic names them
STATE_COLOURS = {
    OwnedNumber.State.IN_USE: "success",
    OwnedNumber.State.EXPIRED: "danger",
    OwnedNumber.State.STOPPED: "warning",
    "gone": "default",
    "": "default",
}


class EditForm(forms.Form):
    """An empty field is sent as empty, unless its value at Laaffic is unknown: then it stays as it is."""

    remark = forms.CharField(label=gettext_lazy("Remark"), required=False, max_length=200)
    app_id = forms.ChoiceField(label=gettext_lazy("Application"), required=False)
    inbound_prefix = forms.CharField(label=gettext_lazy("Inbound prefix"), required=False, max_length=32)
    in_addresses = forms.CharField(
        label=gettext_lazy("Inbound addresses"), required=False, help_text=gettext_lazy("IP addresses, with commas.")
    )
    out_addresses = forms.CharField(
        label=gettext_lazy("Outbound addresses"), required=False, help_text=gettext_lazy("IP addresses, with commas.")
    )
    voicemail = forms.NullBooleanField(label=gettext_lazy("Voicemail"), required=False)
    voicemail_seconds = forms.IntegerField(
        label=gettext_lazy("Seconds of a voicemail, at most"),
        required=False,
        min_value=1,
        max_value=999,
        help_text=gettext_lazy("1 to 999. Left empty: as it is."),
    )
    voicemail_file = forms.FileField(
        label=gettext_lazy("Voicemail announcement"),
        required=False,
        allow_empty_file=True,
        help_text=gettext_lazy("An mp3, wav or m4a file of at most 5 MB. Left empty: as it is."),
        widget=FileInput({"accept": ".mp3,.m4a,.wav,audio/*"}),
    )

    def __init__(self, number: OwnedNumber | None = None, *args: Any, **kwargs: Any) -> None:
        held = {name: getattr(number, name) for name in owned_changes.FIELDS} if number else {}
        super().__init__(*args, **kwargs | {"initial": held})
        ours = Application.objects.filter(is_active=True)
        known = {application.app_id: str(application) for application in ours}
        at_laaffic = number.app_id if number else ""
        others = {at_laaffic: at_laaffic} if at_laaffic and at_laaffic not in known else {}
        field_of(self, "app_id", forms.ChoiceField).choices = [("", _("none")), *(others | known).items()]

    def taking_over(self, number: OwnedNumber) -> "EditForm":
        """The same input after somebody else changed the number: fields that this person left alone take the new
        values, so that sending the form again does not silently undo the other's change."""
        data: Any = copy.copy(self.data)
        was, said = _read_was(self.data.get(WAS, "")), []
        for name in owned_changes.FIELDS:
            theirs = getattr(number, name)
            if name not in was or name not in data or theirs == was[name]:
                continue
            field, yours = self.fields[name], self.cleaned_data.get(name)
            words = {"field": field.label, "theirs": _in_words(field, theirs), "yours": _in_words(field, yours)}
            if yours == was[name]:
                data[name] = _typed(theirs)
                said.append(_("%(field)s: now “%(theirs)s”. You had not changed it, so that is taken over.") % words)
            elif yours != theirs:
                said.append(_("%(field)s: stored is “%(theirs)s”, yours is “%(yours)s”.") % words)
        again = EditForm(number, data, self.files)
        again.full_clean()
        for sentence in said:
            again.add_error(None, sentence)
        return again

    def file(self) -> VoicemailFile | None:
        given = self.cleaned_data["voicemail_file"]
        name = given.name.replace("\\", "/").rpartition("/")[2] if given else ""
        return VoicemailFile(name, given.read(MAX_VOICEMAIL + 1)) if given else None


def as_shown(number: OwnedNumber) -> str:
    """The values that the form is filled from; the page sends them back, which shows what was changed there."""
    return json.dumps({name: getattr(number, name) for name in owned_changes.FIELDS})


def _read_was(told: str) -> dict[str, Any]:
    """The values that a page sent back; {} if it sent none or something odd."""
    try:
        was = json.loads(told)
    except ValueError:
        return {}
    return was if isinstance(was, dict) else {}


def _in_words(field: forms.Field, value: Any) -> str:
    return (_("Yes") if value else _("No")) if isinstance(value, bool) else in_words(field, value)


def _typed(value: Any) -> str:
    """The value as a browser sends it."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


class DueFilter(ChoiceFilter):
    title = gettext_lazy("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("overdue", _("Overdue")),
            ("7", _("Within 7 days")),
            ("30", _("Within 30 days")),
            ("90", _("Within 90 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OwnedNumber]) -> QuerySet[OwnedNumber]:
        today, chosen = timezone.localdate(), self.value() or ""
        if chosen == "overdue":
            return queryset.filter(gone_at=None, due_date__lt=today)
        if (days := whole_number(chosen, 36500)) is not None:
            latest = today + dt.timedelta(days=days)
            return queryset.filter(gone_at=None, due_date__gte=today, due_date__lte=latest)
        return queryset


class GoneFilter(ChoiceFilter):
    title = gettext_lazy("at Laaffic")
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Still there")), ("no", _("Gone"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OwnedNumber]) -> QuerySet[OwnedNumber]:
        if self.value() in ("yes", "no"):
            return queryset.filter(gone_at__isnull=self.value() == "yes")
        return queryset


@admin.register(OwnedNumber)
class OwnedNumberAdmin(SyncedListAdmin):
    when_empty = gettext_lazy("Synchronise to read your numbers from Laaffic. They are bought there.")
    list_display = [
        *("number", "country", "shown_type", "shown_state", "due", "auto_renew", "app_id", "remark"),
        "edit_it",
    ]
    actions_detail = ["edit"]
    list_filter = [DueFilter, "state", GoneFilter]
    search_fields = ["number"]
    search_help_text = gettext_lazy("The beginning of a number")
    ordering = [F("due_date").asc(nulls_last=True), "number"]  # the next due first, on both databases
    sync_permission = "numbers.change_ownednumber"

    def get_list_display(self, request: HttpRequest) -> list[str]:
        shown = [str(column) for column in super().get_list_display(request)]
        return shown if self.has_edit_permission(request) else [column for column in shown if column != "edit_it"]

    def get_fields(self, request: HttpRequest, obj: OwnedNumber | None = None) -> Any:
        return ["shown_type" if name == "number_type" else name for name in super().get_fields(request, obj)]

    @display(description="")
    def edit_it(self, number: OwnedNumber) -> SafeString | str:
        if number.gone_at is not None:
            return ""
        address = own_page(number, "edit")
        return format_html('<a class="c-link" href="{}">{}</a>', address, _("Edit"))

    def has_edit_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return bool(request.user.has_perms(["numbers.view_ownednumber", "numbers.edit_ownednumber"]))

    @action(description=gettext_lazy("Edit"), url_path="edit", permissions=["edit"])
    @asks(EditForm, "numbers.view_ownednumber", "numbers.edit_ownednumber")
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        number = get_object_or_404(OwnedNumber, pk=object_id)
        form = EditForm(number, request.POST or None, request.FILES or None)
        shown = request.POST.get("shown", "") if form.is_bound else owned_changes.shown_digest(number)
        was = request.POST.get(WAS, "") if form.is_bound else as_shown(number)
        if form.is_bound and form.is_valid():
            given = {name: form.cleaned_data[name] for name in owned_changes.FIELDS if name in form.data}
            try:
                entry = owned_changes.edit(number, given, file=form.file(), seen=shown, by=signed_in(request))
            except ValidationError as problem:
                if isinstance(problem, Overtaken):
                    number.refresh_from_db()
                    shown = owned_changes.shown_digest(number)  # this page shows what it has now
                    form, was = form.taking_over(number), as_shown(number)
                add_problems(form, problem)
            else:
                say_edited(request, entry.state == EntryState.ACCEPTED)
                return HttpResponseRedirect(own_page(number))
        requests = owned_evidence.requests(number).select_related("requested_by")[:10]
        return page(
            self,
            request,
            "numbers/owned_edit.html",
            number.number,
            form=form,
            number=number,
            shown=shown,
            was=was,
            requests=requests,
        )

    def sync_names(self) -> list[str]:
        return owned_sync.names()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OwnedNumber], search_term: str
    ) -> tuple[QuerySet[OwnedNumber], bool]:
        digits = plain_text.digits_of(search_term) or search_term.strip()
        return (queryset.filter(number__startswith=digits) if digits else queryset), False

    @display(description=gettext_lazy("type"), ordering="number_type")
    def shown_type(self, number: OwnedNumber) -> str:
        return str(TYPES.get(number.number_type, number.number_type)) or "–"

    @display(description=gettext_lazy("state"), label=STATE_COLOURS, ordering="state")
    def shown_state(self, number: OwnedNumber) -> tuple[Any, str]:
        if number.gone_at is not None:
            return "gone", _("Gone since %(day)s") % {"day": dates.day(number.gone_at)}
        return (number.state if number.state is not None else ""), number.get_state_display() or "–"

    @display(description=gettext_lazy("due"), ordering="due_date")
    def due(self, number: OwnedNumber) -> SafeString | str:
        if number.due_date is None:
            return "–"
        days = (number.due_date - timezone.localdate()).days
        tone = "bad" if days < 0 else "warn" if days <= 30 else ""
        if number.gone_at is not None:
            return dates.day(number.due_date)
        return format_html('{} <span class="c-nowrap {}">({})</span>', dates.day(number.due_date), tone, in_days(days))


def say_edited(request: HttpRequest, is_accepted: bool) -> None:
    if is_accepted:
        messages.success(request, _("Laaffic has changed the number."))
    else:
        lost = _(
            "Laaffic's answer was lost: whether it was changed is not known. Not sent again; the list will show it "
            "soon."
        )
        messages.warning(request, lost)


def in_days(days: int) -> str:
    if days < 0:
        return ngettext("%(n)d day overdue", "%(n)d days overdue", -days) % {"n": -days}
    return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days} if days else _("today")

"""Who has agreed to marketing: the list, and files of consents that were given elsewhere."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.gateway.models.channels import Channel, choices_of
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.forms.file_input import FileInput
from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.masked_admin import MaskedNumbers
from laaffic_console.kit.pages import add_problems, may_see_contacts, page
from laaffic_console.kit.words import countries
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.said import read_all
from messaging.admin.shared.number_search import SearchedByNumber
from messaging.files.encodings import PAGES
from messaging.models import Consent, ConsentImport, ConsentState
from messaging.people.person_links import PersonColumn
from messaging.services.contacts import consents
from messaging.services.contacts.consent_files import Options
from messaging.services.imports import consent_imports

NEWEST = 10
STATE_COLOURS = {ConsentState.GIVEN: "success", ConsentState.WITHDRAWN: "danger", ConsentState.UNKNOWN: "default"}


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV or XLSX file"),
        allow_empty_file=True,
        widget=FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    channel = forms.ChoiceField(
        choices=lambda: choices_of(consents.CHANNELS),
        initial=Channel.SMS,
        label=gettext_lazy("Channel"),
        help_text=gettext_lazy("Of rows that name none."),
        widget=UnfoldAdminSelectWidget,
    )
    date = forms.CharField(
        max_length=40,
        required=False,
        label=gettext_lazy("When it was said"),
        help_text=gettext_lazy("Of rows without a date, like 2026-05-04 or 2026-05-04 14:30."),
        widget=UnfoldAdminTextInputWidget,
    )
    source = forms.CharField(
        max_length=120,
        required=False,
        label=gettext_lazy("Where it was said"),
        help_text=gettext_lazy("Of rows that do not say it, such as “web form”."),
        widget=UnfoldAdminTextInputWidget,
    )
    region = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Country of numbers without a country code"),
        widget=UnfoldAdminSelectWidget,
    )
    encoding = forms.ChoiceField(
        required=False,
        label=gettext_lazy("How the letters are read"),
        help_text=gettext_lazy("Only needed if the file’s letters can be read in several ways."),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "region", forms.ChoiceField).choices = countries.number_regions()
        known = [(name, f"{languages} ({name})") for name, languages, _letters in PAGES.values()]
        field_of(self, "encoding", forms.ChoiceField).choices = [("", _("as the file says")), *known]


@admin.register(Consent)
class ConsentAdmin(PersonColumn, MaskedNumbers, SearchedByNumber, ExportedList, ReadOnlyAdmin):
    add_words = gettext_lazy("Import consents")
    when_empty = gettext_lazy("Nobody has said anything yet. Import a list of people who have agreed, CSV or XLSX.")
    export_name = "consents"
    masked = ("number",)
    typed = ("words", "source")
    list_display = ["number", "channel", "shown_state", "at", "source"]
    list_filter = ["channel", "state"]
    fields = ["number", "channel", "shown_state", "at", "source", "words"]

    @display(description=gettext_lazy("consent"), label=STATE_COLOURS)
    def shown_state(self, consent: Consent) -> tuple[str, str]:
        return consent.state, consent.get_state_display()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Files of consents are read; one person's is noted on the person's page."""
        return self.has_view_permission(request) and may_import(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("imports/<int:pk>/", view, name="messaging_consent_import"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = FileForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            options = Options(**{name: form.cleaned_data[name] for name in form.cleaned_data if name != "file"})
            try:
                job = consent_imports.receive(form.cleaned_data["file"], options, by=signed_in(request))
            except ValidationError as problem:
                add_problems(form, problem)
            else:
                return HttpResponseRedirect(reverse("admin:messaging_consent_import", args=[job.pk]))
        newest = ConsentImport.objects.select_related("created_by")[:NEWEST]
        return page(self, request, "messaging/consents/upload.html", _("Import consents"), form=form, newest=newest)

    def import_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far it is, and what came of it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        job = ConsentImport.objects.select_related("created_by").filter(pk=pk).first()
        if job is None:
            raise Http404
        told = {"job": job, "errors": read_all(job.errors), "is_over": job.state not in consent_imports.OPEN}
        return page(self, request, "messaging/consents/import.html", job.file_name, **told)


def may_import(request: HttpRequest) -> bool:
    """The rights that noting one person's consent needs: rows are people, and bad rows are shown unmasked."""
    return bool(request.user.has_perms(["messaging.change_consent", masks.SEE])) and may_see_contacts(request)

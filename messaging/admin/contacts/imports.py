"""Imports of contacts: upload, preview, progress, undo."""

from typing import Any
from urllib.parse import urlencode

import phonenumbers
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.files import exporting, exports
from laaffic_console.kit.forms.file_input import FileInput
from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.masking.masks import SEE
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems, may_see_contacts, own_page, page, page_of, require
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.words import countries, durations
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from messaging.files.contact_headers import FIXED_FIELDS, IGNORED, attribute_name
from messaging.files.contact_rows import RowOptions
from messaging.files.unreadable import UnreadableFile
from messaging.models import Contact, ContactGroup, ContactImport, ImportUndo
from messaging.services.contacts import national_numbers, reading
from messaging.services.imports import bad_rows, imports
from messaging.services.imports import files as import_files
from messaging.services.imports import forecast as import_forecast
from messaging.services.imports import undo as import_undo

State = ContactImport.State
BAD_ROWS_SHOWN = 20
UNDO = "messaging.undo_contactimport"
OVER = (State.FINISHED, State.FAILED, State.CANCELLED, State.UNDONE)
STATE_COLOURS = {
    State.PREVIEW: "warning",
    State.QUEUED: "info",
    State.RUNNING: "info",
    State.FINISHED: "success",
    State.FAILED: "danger",
    State.CANCELLED: "default",
    State.UNDONE: "default",
}


def _is_taken(job: ContactImport) -> bool:
    """Whether there is anybody to write to: of one that was stopped halfway, those that came before."""
    return job.state in OVER and job.state != State.UNDONE and job.added + job.updated + job.unchanged > 0


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV or XLSX file"),
        allow_empty_file=True,
        widget=FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    group = forms.ModelChoiceField(
        ContactGroup.objects.filter(is_ad_hoc=False),
        required=False,
        empty_label=gettext_lazy("none"),
        label=gettext_lazy("Put them into a group"),
        widget=UnfoldAdminSelectWidget,
    )
    new_group = forms.CharField(
        max_length=120,
        required=False,
        label=gettext_lazy("or a new one, called"),
        widget=UnfoldAdminTextInputWidget,
    )
    region = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Country of numbers without a country code"),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "region", forms.ChoiceField).choices = countries.number_regions()


def _groups(job: ContactImport) -> QuerySet[ContactGroup]:
    """Into which its contacts may be put; the one that was chosen is among them."""
    return ContactGroup.objects.filter(Q(is_ad_hoc=False) | Q(pk=job.group_id))


@admin.register(ContactImport)
class ContactImportAdmin(ReadOnlyAdmin):
    add_words = gettext_lazy("Import contacts")
    when_empty = gettext_lazy("Import a list, CSV or XLSX. You see what each column means before anything is stored.")
    list_display = [
        "file_name",
        "shown_state",
        "rows",
        "added",
        "updated",
        "unchanged",
        "invalid",
        "created_by",
        "created_at",
    ]
    list_filter = ["state"]
    list_select_related = ["created_by"]

    @display(description=gettext_lazy("state"), label=STATE_COLOURS)
    def shown_state(self, job: ContactImport) -> tuple[str, str]:
        return job.state, meanings.inline("import", job.state, job.get_state_display())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(
            ["messaging.add_contactimport", "messaging.add_contact", "messaging.change_contact"]
        )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/bad-rows/", wrap(self.bad_rows_view), name="messaging_contactimport_bad_rows"),
            path("<int:pk>/undo/", wrap(self.undo_view), name="messaging_contactimport_undo"),
            path("<int:pk>/cancel/", wrap(self.cancel_view), name="messaging_contactimport_cancel"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        chosen = {name: request.GET[name] for name in ("group", "region") if request.GET.get(name)}
        form = UploadForm(request.POST or None, request.FILES or None, initial=chosen)
        if request.method == "POST" and form.is_valid():
            try:
                job = import_files.receive(
                    form.cleaned_data["file"],
                    group=form.cleaned_data["group"],
                    new_group=form.cleaned_data["new_group"],
                    region=form.cleaned_data["region"],
                    by=signed_in(request),
                )
            except ValidationError as problem:
                add_problems(form, problem if hasattr(problem, "error_dict") else ValidationError({"file": problem}))
            else:
                return HttpResponseRedirect(own_page(job))
        return page(self, request, "messaging/imports/import_upload.html", _("Import contacts"), form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        if job is None:
            raise Http404
        if not (self.has_view_permission(request, job) and may_see_contacts(request)):
            raise PermissionDenied  # its rows are people
        if job.state == State.PREVIEW:
            return self._preview(request, job)
        return self._progress(request, job)

    def _preview(self, request: HttpRequest, job: ContactImport) -> HttpResponse:
        """What the columns mean, and the first rows as they would be stored; a second click starts nothing twice."""
        headers = list(job.headers)
        shown = [request.POST.get("shown_encoding", job.encoding), request.POST.get("shown_sheet", job.sheet)]
        try:
            problem = self._choose(request, job)
        except NotNow as refusal:
            say_why(request, refusal)
            return HttpResponseRedirect(request.path)
        # The choices for columns apply only to the columns that the page showed; nothing unseen is imported.
        is_only_spelt_otherwise = (job.sheet, job.headers) == (shown[1], headers)  # its words were shown, too
        is_as_shown = [job.encoding, job.sheet] == shown or is_only_spelt_otherwise
        mapping = self._mapping(request, job) if is_as_shown else dict(job.mapping)
        unmapped = reading.problem_with_mapping(job, mapping)
        problem = problem or unmapped
        if request.method == "POST" and not ("_start" in request.POST and is_as_shown):
            if problem:
                import_forecast.forget(job.pk)
            else:
                import_forecast.want(job, mapping)
        forecast = import_forecast.of(job)
        if request.method == "POST" and "_start" in request.POST and not problem:
            if is_as_shown:
                imports.start(job.pk, mapping=mapping)
                return HttpResponseRedirect(request.path)
            messages.warning(request, _("These are other rows than you have seen. Look at them, then import."))
        return page(
            self,
            request,
            "messaging/imports/import_preview.html",
            job.file_name,
            job=job,
            columns=[
                (index, header, mapping.get(header, IGNORED), self._choices(index, header))
                for index, header in enumerate(job.headers)
            ],
            rows=import_files.preview(job, mapping),
            is_readable=not unmapped,
            # Shown unmasked, so only to people who may see everything (bad_rows_view).
            sample=import_files.sample(job) if unmapped and request.user.has_perm(SEE) else [],
            forecast=forecast,
            forecast_percent=min(99, 100 * forecast.bytes_done // max(1, job.size)) if forecast else 0,
            reasons=import_forecast.shown_examples(forecast) if forecast else [],
            problem=problem,
            encoding=request.POST.get("encoding", ""),
            regions=countries.number_regions(),
            groups=_groups(job),
            country_meant=national_numbers.country_meant(job, mapping),
            number_header=next((header for header, field in mapping.items() if field == "number"), ""),
            other_headers=[header for header, field in mapping.items() if field == "other_number"],
            null_count=sum(job.null_words.values()),
            may_cancel=self.has_add_permission(request),
        )

    def _choose(self, request: HttpRequest, job: ContactImport) -> str:
        """Take what was chosen; why it cannot be, or "" ."""
        if request.method != "POST":
            return ""
        if not self.has_add_permission(request):
            raise PermissionDenied
        encodings = {found["encoding"] for found in job.readings}
        encoding = request.POST.get("encoding", "")
        sheet = request.POST.get("sheet", "")
        region = request.POST.get("region", job.region)
        try:
            import_files.look_otherwise(
                job,
                encoding=encoding if encoding in encodings else "",
                sheet=sheet if sheet in job.sheets else "",
                options=RowOptions(
                    foreign_without_plus="foreign_without_plus" in request.POST,
                    allow_unknown_ranges="allow_unknown_ranges" in request.POST,
                    keep_null_words="ask_null_words" in request.POST and "empty_null_words" not in request.POST,
                ),
                region=region if region in phonenumbers.SUPPORTED_REGIONS else "",
            )
        except UnreadableFile as problem:
            job.refresh_from_db()
            return str(problem)
        import_files.keep_reading(job)
        if "group" in request.POST:
            chosen = _groups(job).filter(pk=whole_number(request.POST["group"]) or 0).first()
            try:
                import_files.put_into(job, chosen, request.POST.get("new_group", ""))
            except NotNow:
                raise
            except ValidationError as problem:
                return " ".join(problem.messages)
        if len(encodings) > 1 and encoding not in encodings:
            return _("The file's letters can be read in several ways. Choose the one in which the names are right.")
        return ""

    def _mapping(self, request: HttpRequest, job: ContactImport) -> dict[str, str]:
        if request.method != "POST":
            return dict(job.mapping)
        mapping = {}
        for index, header in enumerate(job.headers):
            wanted = request.POST.get(f"column-{index}", IGNORED)
            allowed = {value for value, _words in self._choices(index, header)}
            mapping[header] = wanted if wanted in allowed else IGNORED
        return mapping

    def _choices(self, index: int, header: str) -> list[tuple[str, Any]]:
        words = {
            "number": _("Phone number"),
            "other_number": _("Phone number where the first is empty"),
            "name": _("Name"),
            "first_name": _("First name"),
            "last_name": _("Last name"),
            "email": _("Email"),
            "language": _("Language"),
        }
        slug = attribute_name(header, index)
        slug = header.removeprefix("attributes.") if header.startswith("attributes.") else slug
        own = [(f"attributes.{slug}", _("Attribute “%(name)s”") % {"name": slug})] if slug else []
        return [*((field, words[field]) for field in FIXED_FIELDS), *own, (IGNORED, _("Leave out"))]

    def _progress(self, request: HttpRequest, job: ContactImport) -> HttpResponse:
        seconds = ((job.finished_at or timezone.now()) - job.started_at).total_seconds() if job.started_at else 0
        rate = job.rows / seconds if seconds > 0.5 else None
        done = job.bytes_done / job.size if job.size else 0
        is_over = job.state in OVER
        return page(
            self,
            request,
            "messaging/imports/import_progress.html",
            job.file_name,
            job=job,
            note=imports.note(job),
            percent=100 if job.state in (State.FINISHED, State.UNDONE) else min(99, int(100 * done)),
            rate=rate,
            left=durations.in_words(seconds / done - seconds if done > 0.02 and job.state == State.RUNNING else None),
            is_over=is_over,
            may_write=_is_taken(job) and request.user.has_perm("messaging.add_campaign"),
            may_undo=is_over and request.user.has_perm(UNDO) and import_undo.can_be_undone(job),
            undo=import_undo.of(job),
            may_export=request.user.has_perms(exporting.rights(Contact)) and bad_rows.are_there(job),
            may_import=self.has_add_permission(request),
            as_before=urlencode({"group": job.group_id or "", "region": job.region}),
            kept_until=bad_rows.kept_until(job),
            bad_rows=job.bad_rows.order_by("row")[:BAD_ROWS_SHOWN],
            more_bad_rows=max(0, job.invalid - BAD_ROWS_SHOWN),
        )

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "messaging.add_contactimport")
        if request.method != "POST":
            raise Http404
        if not imports.cancel(pk):
            messages.info(request, _("It was over already."))
        return HttpResponseRedirect(page_of(ContactImport, pk))

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Who would go and who stays, and then the second click; all of it can be watched."""
        require(request, UNDO)
        job = ContactImport.objects.select_related("group").filter(pk=pk).first()
        if job is None or not may_see_contacts(request):
            raise Http404
        if request.method == "POST":
            return self._undo(request, job)
        return page(
            self,
            request,
            "messaging/imports/import_undo.html",
            _("Undo the import of %(name)s") % {"name": job.file_name},
            job=job,
            undo=(undo := import_undo.of(job)),
            reasons=import_undo.reasons(undo) if undo else [],
            is_going=undo is not None and undo.state in (ImportUndo.State.LOOKING, ImportUndo.State.RUNNING),
            staying=sum(undo.stays.values()) if undo else 0,
            can_be_undone=import_undo.can_be_undone(job),
        )

    def _undo(self, request: HttpRequest, job: ContactImport) -> HttpResponse:
        try:
            if "_confirm" in request.POST:
                if not import_undo.confirm(job.pk, by=signed_in(request)):
                    messages.info(request, _("It has begun already, or was not counted to its end."))
            elif "_keep" in request.POST:
                import_undo.give_up(job.pk)
                return HttpResponseRedirect(own_page(job))
            else:
                import_undo.look(job.pk, by=signed_in(request))
        except ValidationError as problem:
            say_why(request, problem)
        return HttpResponseRedirect(request.path)

    def bad_rows_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        require(request, "messaging.view_contactimport")
        exporting.require_export(request, Contact)
        require(request, SEE)  # the rows are as they came: nothing of them can be masked
        job = ContactImport.objects.filter(pk=pk).first()
        if job is None or not bad_rows.are_there(job):
            raise Http404
        name, kind = f"bad-rows-{job.pk}", bad_rows.kind_of(job)
        return exports.attached(bad_rows.content(job), kind, name, job.file_name, job.invalid)

"""django-import-export's pages, with the rights of the model and without trust in what the browser sends back.

The library lets everybody import whom no setting stops, opens and deletes the file that the second page's form names,
and fails with a 500 where that form says nonsense. Here the name of the file that waits is signed for one person and
one page, and lies in our own storage.
"""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from import_export.admin import ImportMixin
from import_export.forms import ConfirmImportForm
from import_export.tmp_storages import MediaStorage

from laaffic_console.kit.files.uploads import WAITING
from laaffic_console.kit.words.figures import number

FOLDER = WAITING
MAX_AGE = 3600  # seconds between looking at a file and taking it


class WaitingFile(MediaStorage):
    """Below MEDIA_ROOT, private like everything there; the name is ours, 32 hexadecimal digits."""

    def remove(self) -> None:
        if self.name:
            super().remove()


class ConfirmForm(ConfirmImportForm):
    """Everything in it came from us and is looked at again, as a browser may send anything."""

    def __init__(self, *args: Any, salt: str, how_many_formats: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.salt = salt
        self.how_many_formats = how_many_formats

    def clean_import_file_name(self) -> str:
        try:
            name = str(signing.TimestampSigner(salt=self.salt).unsign(self.cleaned_data["import_file_name"], MAX_AGE))
        except signing.BadSignature as problem:
            raise ValidationError("not ours") from problem
        if not default_storage.exists(f"{FOLDER}/{name}"):
            raise ValidationError("taken already")
        return name

    def clean_format(self) -> str:
        given = str(self.cleaned_data["format"])
        if given not in map(str, range(self.how_many_formats)):
            raise ValidationError("no such format")
        return given

    def clean_resource(self) -> str:
        return ""  # each page here has one


class SafeImportMixin(ImportMixin):
    confirm_form_class = ConfirmForm
    tmp_storage_class = WaitingFile

    def has_import_permission(self, request: HttpRequest) -> bool:
        """An import adds rows and changes them."""
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> dict[str, Any]:
        kwargs = super().get_confirm_form_kwargs(request, import_form)
        return {**kwargs, "salt": self._salt(request), "how_many_formats": len(self.get_import_formats())}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        if initial:
            signer = signing.TimestampSigner(salt=self._salt(request))
            initial["import_file_name"] = signer.sign(initial["import_file_name"])
        return initial

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """A file that cannot be taken does not wait."""
        response: HttpResponse = super().import_action(request, **kwargs)
        context = getattr(response, "context_data", None) or {}
        if "title" in context:
            context["title"] = _("Import: %(things)s") % {"things": self.opts.verbose_name_plural}
        if context.get("fields_list") == []:  # after a file that could not be read, too
            context["fields_list"] = [(str(kind), kind.Meta.export_order) for kind in self.resource_classes]
        uploaded = request.FILES.get("import_file")
        if uploaded is not None and "confirm_form" not in context and hasattr(uploaded, "tmp_storage_name"):
            WaitingFile(name=uploaded.tmp_storage_name).remove()
        return response

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        """Say it in a sentence: the library names the exception's class."""
        said = e.messages if isinstance(e, ValidationError) else [_("The file cannot be read. Save it again as XLSX.")]
        form.add_error("import_file", said)

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        said = _("Imported: %(new)s new, %(changed)s changed, %(same)s as before.")
        totals = {"new": result.totals["new"], "changed": result.totals["update"], "same": result.totals["skip"]}
        messages.success(request, said % {name: number(n) for name, n in totals.items()})

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        may = request.method == "POST" and self.has_import_permission(request)
        if may and not self.create_confirm_form(request).is_valid():
            messages.error(request, _("That file is no longer here. Choose it again."))
            return HttpResponseRedirect(reverse(f"admin:{'_'.join(self.get_model_info())}_import"))
        response: HttpResponse = super().process_import(request, **kwargs)
        return response

    def _salt(self, request: HttpRequest) -> str:
        return f"import {'.'.join(self.get_model_info())} by {request.user.pk}"

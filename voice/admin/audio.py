"""The audio library: added with its progress shown, played here, uploaded to Laaffic once."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.kit.admin.page_links import PageLink
from laaffic_console.kit.files.locked_down import locked_down
from laaffic_console.kit.forms.file_input import FileInput
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import add_problems, own_page, page, require
from laaffic_console.kit.words.people import signed_in
from messaging.admin.shared.library import LibraryAdmin
from voice.models import AudioFile
from voice.services.audio import elsewhere as audio_elsewhere
from voice.services.audio import uploads
from voice.services.audio.uploads import UploadFailed

LIST = "admin:voice_audiofile_changelist"


class AddAudioForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("Audio file"), allow_empty_file=True, widget=FileInput({"accept": ".mp3,.m4a,.wav,audio/*"})
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        help_text=gettext_lazy(
            "5 to 32 characters, unique. A suffix that is missing is added. Left empty: the file's own name."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    upload = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Upload to Laaffic at once"))


class RenameForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)


@admin.register(AudioFile)
class AudioFileAdmin(LibraryAdmin):
    library = uploads
    when_empty = gettext_lazy("Upload an announcement: group calls choose from what is here.")
    list_display = ["name", "audio_type", "lasts", "shown_size", "state", "created_at", "created_by"]
    list_filter = ["is_archived", "audio_type"]
    actions = None
    list_links = (
        PageLink("admin:voice_audiofile_elsewhere", gettext_lazy("Uploaded elsewhere"), "voice.add_audiofile"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AudioFile]:
        return super().get_queryset(request).defer("content")

    @display(description=gettext_lazy("length"), ordering="seconds")
    def lasts(self, file: AudioFile) -> str:
        return clock(file.seconds) if file.seconds or file.has_content else "–"

    @display(description=gettext_lazy("size"), ordering="size")
    def shown_size(self, file: AudioFile) -> str:
        return filesizeformat(file.size) if file.has_content else "–"

    @display(description=gettext_lazy("at Laaffic"), label={"yes": "success", "no": "default"}, ordering="uploaded_at")
    def state(self, file: AudioFile) -> tuple[str, str]:
        return ("yes", _("uploaded")) if file.is_at_laaffic else ("no", _("not uploaded"))

    def has_delete_permission(self, request: HttpRequest, obj: AudioFile | None = None) -> bool:
        """A file that Laaffic has, or may have, stays, as tasks name it by its id: archive it instead."""
        is_removable = obj is not None and uploads.is_removable(obj)
        return is_removable and super().has_delete_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("elsewhere/", wrap(self.elsewhere_view), name="voice_audiofile_elsewhere"),
            path("<int:pk>/content/", wrap(self.content_view), name="voice_audiofile_content"),
            path("<int:pk>/upload/", wrap(self.upload_view), name="voice_audiofile_upload"),
            path("<int:pk>/rename/", wrap(self.rename_view), name="voice_audiofile_rename"),
            path("<int:pk>/archive/", wrap(self.archive_view), name="voice_audiofile_archive"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = AddAudioForm(request.POST or None, request.FILES or None)
        added = self._add(request, form) if request.method == "POST" and form.is_valid() else None
        # If upload.js sent it, the page stays as it is: the chosen file is still chosen when a field is wrong.
        is_fetched = request.headers.get("X-Requested-With") == "fetch"
        if added is not None:
            address = own_page(added)
            return JsonResponse({"next": address}) if is_fetched else HttpResponseRedirect(address)
        if is_fetched and request.method == "POST":
            return JsonResponse({"errors": form.errors})
        return page(
            self,
            request,
            "voice/audio_add.html",
            _("Add an audio file"),
            form=form,
            most=settings.AUDIO_MAX_BYTES,
            may_upload=request.user.has_perm("voice.upload_audiofile"),
        )

    def _add(self, request: HttpRequest, form: AddAudioForm) -> AudioFile | None:
        file = form.cleaned_data["file"]
        name = form.cleaned_data["name"] or uploads.suggested_name(file.name)
        try:
            added, is_new = uploads.add(uploads.read(file), name, by=signed_in(request))
        except ValidationError as problem:
            add_problems(form, problem)
            return None
        if is_new:
            messages.success(request, _("“%(name)s” is in the library.") % {"name": added.name})
        else:
            said = _("The library has this content already: “%(name)s”. It is kept once.")
            messages.info(request, said % {"name": added.name})
        wanted = form.cleaned_data["upload"] and request.user.has_perm("voice.upload_audiofile")
        if wanted and not added.is_at_laaffic:
            upload_and_say(request, added.pk)
        return added

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        file = self.get_object(request, object_id)
        if file is None:
            raise Http404
        if not self.has_view_permission(request, file):
            raise PermissionDenied
        return self._page(request, file, RenameForm(initial={"name": file.name}))

    def _page(self, request: HttpRequest, file: AudioFile, form: RenameForm) -> HttpResponse:
        may_have_arrived = uploads.tries(file).filter(state__in=uploads.MAY_HAVE_ARRIVED).exists()
        may_add = self.has_add_permission(request)
        return page(
            self,
            request,
            "voice/audio.html",
            file.name,
            file=file,
            form=form,
            lasts=self.lasts(file),
            requests=uploads.tries(file)[:10],
            may_upload=not file.is_at_laaffic and request.user.has_perm("voice.upload_audiofile"),
            may_rename=may_add and not file.is_at_laaffic and not may_have_arrived,
            may_archive=may_add,
            may_delete=self.has_delete_permission(request, file),
        )

    def elsewhere_view(self, request: HttpRequest) -> HttpResponse:
        """Files that Laaffic has and the library does not: read when the page is opened, taken over with a button."""
        require(request, "voice.view_audiofile", "voice.add_audiofile")
        try:
            if request.method == "POST":
                taken = audio_elsewhere.take(request.POST.get("file_id", "")[:200], by=signed_in(request))
                messages.success(request, _("“%(name)s” is in the library.") % {"name": taken.name})
                return HttpResponseRedirect(own_page(taken))
            files, problem = audio_elsewhere.listed(), ""
        except ValidationError as failure:
            files, problem = [], " ".join(failure.messages)
        title = _("Audio files uploaded elsewhere")
        return page(self, request, "voice/audio_elsewhere.html", title, files=files, problem=problem)

    def upload_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        file = self.posted(request, pk, "upload")
        if upload_and_say(request, pk):
            messages.success(request, _("Laaffic has “%(name)s”.") % {"name": file.name})
        return HttpResponseRedirect(own_page(file))

    def rename_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        file = self.posted(request, pk, "add")
        form = RenameForm(request.POST)
        if form.is_valid():
            try:
                uploads.rename(file, form.cleaned_data["name"])
                return HttpResponseRedirect(own_page(file))
            except ValidationError as problem:
                add_problems(form, problem)
        return self._page(request, file, form)

    def content_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The bytes, or the range that a player asks for, served with the type of their content."""
        require(request, "voice.view_audiofile")
        file = AudioFile.objects.filter(pk=pk).first()
        if file is None or not file.has_content:
            raise Http404
        response = part_of(bytes(file.content), request.headers.get("Range", ""))
        response["Content-Type"] = file.media_type
        response["Accept-Ranges"] = "bytes"
        kind = "attachment" if "save" in request.GET else "inline"
        response["Content-Disposition"] = f'{kind}; filename="audio-{pk}.{file.audio_type}"'
        response["Cache-Control"] = "private, max-age=3600"
        return locked_down(response, "media-src 'self'")


def part_of(data: bytes, asked: str) -> HttpResponse:
    """One range of bytes (RFC 9110 §14): 206; 416 for an impossible range; everything if `asked` is not understood."""
    found = re.fullmatch(r"bytes=([0-9]{0,12})-([0-9]{0,12})", asked.strip())
    if not found or found.groups() == ("", ""):
        return HttpResponse(data)
    first, last = found.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last), len(data) - 1) if first and last else len(data) - 1
    if start > end or (not first and int(last) == 0):
        response = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{len(data)}"
        return response
    response = HttpResponse(data[start : end + 1], status=206)
    response["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
    return response


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def upload_and_say(request: HttpRequest, pk: int) -> bool:
    try:
        uploads.upload(pk, by=signed_in(request))
    except UploadFailed as problem:
        messages.error(request, masks.in_text(problem))
        return False
    return True

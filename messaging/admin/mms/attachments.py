"""The MMS library. What was uploaded is never served as anything that a browser would run."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display

from laaffic_console.gateway import shown_requests
from laaffic_console.kit.files.locked_down import locked_down
from laaffic_console.kit.forms.file_input import FileInput
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import own_page, page, require
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.words.people import signed_in
from messaging.admin.shared.library import LibraryAdmin
from messaging.media import attachment_content
from messaging.models import MmsAttachment
from messaging.services.mms import attachments
from messaging.services.mms.attachments import UploadedWithoutId, UploadFailed

FILES_AT_ONCE = 10


class ManyFilesInput(FileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    widget = ManyFilesInput(attrs={"multiple": True})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = (data if isinstance(data, list | tuple) else [data]) or [None]  # which says that one is required
        return [super(ManyFilesField, self).clean(one, initial) for one in files]


class AddFilesForm(forms.Form):
    file = ManyFilesField(
        label=gettext_lazy("Files"),
        allow_empty_file=True,
        error_messages={"required": gettext_lazy("Choose at least one file.")},
    )
    upload = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("Upload to Laaffic at once; the id lives for three days")
    )

    def clean_file(self) -> list[Any]:
        files: list[Any] = self.cleaned_data["file"]
        if len(files) > FILES_AT_ONCE:
            raise ValidationError(_("Add at most %(n)d files at a time.") % {"n": FILES_AT_ONCE})
        return files


def clock_of(attachment: MmsAttachment) -> tuple[str, str]:
    """(state, words): how long Laaffic will know the file."""
    if not attachment.gateway_id or attachment.lapses_at is None:
        return "none", _("not uploaded")
    left = attachment.lapses_at - timezone.now()
    if left.total_seconds() <= 0:
        return "lapsed", _("lapsed %(ago)s ago") % {"ago": timesince(attachment.lapses_at)}
    state = "soon" if left < attachments.RENEW_BEFORE else "live"
    return state, _("%(left)s left") % {"left": timeuntil(attachment.lapses_at)}


@admin.register(MmsAttachment)
class MmsAttachmentAdmin(LibraryAdmin):
    library = attachments
    when_empty = gettext_lazy("Upload a picture, a sound or a text: MMS campaigns choose from what is here.")
    list_display = ["shown", "shown_type", "shown_size", "clock", "used_at", "created_at", "created_by"]
    list_display_links = ["shown"]
    list_filter = ["is_archived", "file_type"]
    actions = ["upload_selected", "archive_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MmsAttachment]:
        return super().get_queryset(request).defer("content", "thumbnail")

    @display(description=gettext_lazy("attachment"), ordering="name")
    def shown(self, attachment: MmsAttachment) -> str:
        image = ""
        if attachment.is_picture:
            image = format_html('<img src="{}" alt="" loading="lazy">', own_page(attachment, "thumbnail"))
        return format_html(
            '<span class="c-thumb"><span class="c-thumb-box {}">{}</span><span>{}</span></span>',
            attachment.file_type,
            image or attachment.file_type.upper(),
            attachment.name,
        )

    @display(description=gettext_lazy("type"), ordering="file_type")
    def shown_type(self, attachment: MmsAttachment) -> str:
        return attachment.get_file_type_display()

    @display(description=gettext_lazy("size"), ordering="size")
    def shown_size(self, attachment: MmsAttachment) -> str:
        return filesizeformat(attachment.size) + (" ⚠" if attachment.is_doubtful else "")

    @display(
        description=gettext_lazy("Laaffic's id"),
        label={"live": "success", "soon": "warning", "lapsed": "danger", "none": "default"},
        ordering="lapses_at",
    )
    def clock(self, attachment: MmsAttachment) -> tuple[str, str]:
        standing, words = clock_of(attachment)
        return standing, meanings.inline("attachment", standing, words)

    def has_delete_permission(self, request: HttpRequest, obj: MmsAttachment | None = None) -> bool:
        """A file that a campaign has used cannot be deleted, only archived."""
        return obj is not None and obj.used_at is None and super().has_delete_permission(request, obj)

    @action(description=gettext_lazy("Upload to Laaffic"))
    def upload_selected(self, request: HttpRequest, queryset: QuerySet[MmsAttachment]) -> None:
        require(request, "messaging.upload_mmsattachment")
        done = sum(upload_and_say(request, pk) for pk in queryset.values_list("pk", flat=True)[:FILES_AT_ONCE])
        if done:
            said = ngettext("%(n)d file was uploaded.", "%(n)d files were uploaded.", done)
            messages.success(request, said % {"n": done})
        if queryset.count() > FILES_AT_ONCE:
            messages.warning(request, _("Only the first %(n)d were uploaded.") % {"n": FILES_AT_ONCE})

    @action(description=gettext_lazy("Archive: no longer offer them"))
    def archive_selected(self, request: HttpRequest, queryset: QuerySet[MmsAttachment]) -> None:
        require(request, "messaging.add_mmsattachment")
        for pk in queryset.values_list("pk", flat=True):
            attachments.archive(pk, is_archived=True)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/upload/", wrap(self.upload_view), name="messaging_mmsattachment_upload"),
            path("<int:pk>/archive/", wrap(self.archive_view), name="messaging_mmsattachment_archive"),
            path("<int:pk>/content/", wrap(self.content_view), name="messaging_mmsattachment_content"),
            path("<int:pk>/thumbnail.png", wrap(self.thumbnail_view), name="messaging_mmsattachment_thumbnail"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = AddFilesForm(request.POST if is_sent else None, request.FILES if is_sent else None)
        if is_sent and form.is_valid():
            added = self._add(request, form)
            if not form.errors:
                one = own_page(added[0]) if len(added) == 1 else reverse(LIST)
                return HttpResponseRedirect(one)
        return page(
            self,
            request,
            "messaging/mms/mms_attachment_add.html",
            _("Add MMS attachments"),
            form=form,
            types=", ".join(attachment_content.FILE_TYPES),
            may_upload=request.user.has_perm("messaging.upload_mmsattachment"),
        )

    def _add(self, request: HttpRequest, form: AddFilesForm) -> list[MmsAttachment]:
        """Each fit file is kept; each unfit one is an error with its name at the field."""
        added = []
        for file in form.cleaned_data["file"]:
            try:
                attachment, is_new = attachments.add(read(file), file.name, size=file.size, by=signed_in(request))
            except ValidationError as problem:
                form.add_error("file", f"{file.name}: {' '.join(problem.messages)}")
                continue
            added.append(attachment)
            say_added(request, attachment, is_new)
            wanted = form.cleaned_data["upload"] and request.user.has_perm("messaging.upload_mmsattachment")
            if wanted and not attachment.is_live:
                upload_and_say(request, attachment.pk)
        return added

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        attachment = self.get_object(request, object_id)
        if attachment is None:
            raise Http404
        if not self.has_view_permission(request, attachment):
            raise PermissionDenied
        return page(
            self,
            request,
            "messaging/mms/mms_attachment.html",
            attachment.name,
            attachment=attachment,
            text=attachment_content.text_of(bytes(attachment.content)) if attachment.is_text else "",
            clock=clock_of(attachment),
            **shown_requests.about(attachments.ABOUT, attachment.pk, request.user),
            may_upload=request.user.has_perm("messaging.upload_mmsattachment"),
            may_archive=request.user.has_perm("messaging.add_mmsattachment"),
            may_delete=self.has_delete_permission(request, attachment),
        )

    def upload_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        attachment = self.posted(request, pk, "upload")
        if upload_and_say(request, pk):
            messages.success(request, _("“%(name)s” is at Laaffic for three days.") % {"name": attachment.name})
        return HttpResponseRedirect(own_page(attachment))

    def content_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The bytes: with the type that their content has where a browser only shows or plays it, else to be saved."""
        require(request, "messaging.view_mmsattachment")
        attachment = get_object_or_404(MmsAttachment, pk=pk)
        as_itself = attachment.media_type is not None and "save" not in request.GET
        response = HttpResponse(
            bytes(attachment.content),
            content_type=attachment.media_type if as_itself else "application/octet-stream",
        )
        disposition = "inline" if as_itself else "attachment"
        response["Content-Disposition"] = f'{disposition}; filename="attachment-{pk}.{attachment.file_type}"'
        return locked_down(response, OF_A_PICTURE)

    def thumbnail_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "messaging.view_mmsattachment")
        thumbnail = MmsAttachment.objects.filter(pk=pk).values_list("thumbnail", flat=True).first()
        if not thumbnail:
            raise Http404
        response = HttpResponse(bytes(thumbnail), content_type="image/png")
        response["Content-Disposition"] = f'inline; filename="attachment-{pk}.png"'
        response["Cache-Control"] = "private, max-age=86400"
        return locked_down(response, OF_A_PICTURE)


LIST = "admin:messaging_mmsattachment_changelist"
OF_A_PICTURE = "style-src 'unsafe-inline'"  # an SVG has its own


def read(file: Any) -> bytes:
    """No more than is needed to say that it is too much."""
    data: bytes = file.read(attachment_content.MAX_BYTES + 1)
    return data


def say_added(request: HttpRequest, attachment: MmsAttachment, is_new: bool) -> None:
    link = format_html('<a href="{}">{}</a>', own_page(attachment), attachment.name)
    if is_new:
        messages.success(request, format_html(_("{} is in the library."), link))
    else:
        messages.info(request, format_html(_("The library has this content already: {}. It is kept once."), link))
    if attachment.note:
        messages.warning(request, masks.in_text(attachment.note))
    if attachment.is_doubtful:
        messages.warning(request, doubt())


def doubt() -> str:
    return _(
        "The file is over 37.5 KB: sent as Base64 it is over 50 KB, and Laaffic does not say which of the two it "
        "counts. If the upload is refused, make it smaller."
    )


def upload_and_say(request: HttpRequest, pk: int) -> bool:
    try:
        attachments.upload(pk, by=signed_in(request))
    except UploadedWithoutId as problem:
        messages.warning(request, masks.in_text(problem))
        return False
    except UploadFailed as problem:
        messages.error(request, masks.in_text(problem))
        return False
    return True

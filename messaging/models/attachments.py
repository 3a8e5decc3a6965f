"""Files of MMS, and the ids that Laaffic has for them."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from messaging.attachment_content import AUDIO, FILE_TYPES, MEDIA_TYPES, PICTURES, SHOWN_AS_TEXT, is_doubtful


class MmsAttachment(models.Model):
    """A file of the MMS library. It is kept here, so that it can be uploaded again: Laaffic's id lives for three days.

    At most 50 KB, in the database: a worker on any machine has it at hand.
    """

    name = models.CharField(_("name"), max_length=120)
    file_type = models.CharField(_("type"), max_length=4, choices=list(FILE_TYPES.items()))
    content = models.BinaryField(_("content"))
    size = models.PositiveIntegerField(_("size"))  # bytes
    digest = models.CharField(max_length=64, unique=True)  # SHA-256: the same content is kept and uploaded once
    width = models.PositiveIntegerField(_("width"), null=True)
    height = models.PositiveIntegerField(_("height"), null=True)
    seconds = models.FloatField(_("length"), null=True)
    thumbnail = models.BinaryField(default=bytes)  # a PNG made by us
    note = models.CharField(_("note"), max_length=200, blank=True)

    gateway_id = models.CharField(_("Laaffic's id"), max_length=120, blank=True)
    uploaded_at = models.DateTimeField(_("uploaded"), null=True)
    lapses_at = models.DateTimeField(_("id lapses"), null=True)

    is_archived = models.BooleanField(
        _("archived"), default=False, help_text=_("No longer offered for new campaigns; nothing is deleted.")
    )
    used_at = models.DateTimeField(_("last used"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(pgettext_lazy("moment", "added"), auto_now_add=True)

    class Meta:
        verbose_name = _("MMS attachment")
        verbose_name_plural = _("MMS attachments")
        ordering = ["-id"]
        permissions = [("upload_mmsattachment", _("Can upload MMS attachments to Laaffic"))]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.file_type in PICTURES

    @property
    def is_audio(self) -> bool:
        return self.file_type in AUDIO

    @property
    def is_text(self) -> bool:
        return self.file_type in SHOWN_AS_TEXT

    @property
    def media_type(self) -> str | None:
        """The only type that its bytes are ever served with; None: not as themselves."""
        return MEDIA_TYPES[self.file_type]

    @property
    def is_doubtful(self) -> bool:
        return is_doubtful(self.size)

    @property
    def is_live(self) -> bool:
        """Whether Laaffic knows it now by the id that we have."""
        return bool(self.gateway_id and self.lapses_at and self.lapses_at > timezone.now())

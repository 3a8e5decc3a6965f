"""Audio files, and the ids that Laaffic has for them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AudioType(models.TextChoices):
    """The types that the gateway takes (laaffic-api#fileupload)."""

    MP3 = "mp3", _("MP3 audio")
    M4A = "m4a", _("M4A audio")
    WAV = "wav", _("WAV audio")


# The only media types that their bytes are ever served with.
MEDIA_TYPES = {AudioType.MP3: "audio/mpeg", AudioType.M4A: "audio/mp4", AudioType.WAV: "audio/wav"}


class AudioFile(models.Model):
    """A file of the audio library. Its content is kept here too: Laaffic gives no file back (laaffic-api#audio-files).

    A file that was uploaded elsewhere and taken over has its id at Laaffic, and no content here.
    """

    name = models.CharField(_("name"), max_length=32, unique=True)  # with its suffix; unique in the whole account
    audio_type = models.CharField(_("format"), max_length=3, choices=AudioType)
    content = models.BinaryField(_("content"))
    size = models.PositiveIntegerField(_("size"))  # bytes
    digest = models.CharField(max_length=64, unique=True)  # SHA-256: the same content is kept and uploaded once
    seconds = models.FloatField(_("length"))

    file_id = models.CharField(_("Laaffic's id"), max_length=120, blank=True)
    uploaded_at = models.DateTimeField(_("uploaded"), null=True)

    is_archived = models.BooleanField(
        _("archived"), default=False, help_text=_("No longer offered for new calls; nothing is deleted.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(pgettext_lazy("moment", "added"), auto_now_add=True)

    class Meta:
        verbose_name = _("audio file")
        verbose_name_plural = _("audio files")
        ordering = ["-id"]
        permissions = [("upload_audiofile", _("Can upload audio files to Laaffic"))]

    def __str__(self) -> str:
        return self.name

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[AudioType(self.audio_type)]

    @property
    def has_content(self) -> bool:
        """Whether the file can be played here, and sent with a task."""
        return self.size > 0

    @property
    def is_at_laaffic(self) -> bool:
        """Whether calls can play the file."""
        return bool(self.file_id)

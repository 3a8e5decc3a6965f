"""Exports: what somebody took away, and the file for as long as it is kept."""

from django.conf import settings
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.sql.partial_indexes import WordForWord
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.said import SaidField, SaidLine

_IS_OPEN = models.Q(state__in=["queued", "running"])
IS_OPEN_EXPORT = WordForWord(_IS_OPEN)


class Export(models.Model):
    """A file that somebody took away, or is having made. The row outlives the file: it says who had what."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("File deleted")

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"
        ZIP = "zip", "ZIP"

    OPEN = (State.QUEUED, State.RUNNING)

    kind = models.CharField(_("kind"), max_length=40)  # as it is registered (kinds.py)
    parameters = models.JSONField(_("of what"), default=dict)  # {"campaign": 7}, {"query": "state=draft"}
    title = SaidLine(_("export"), max_length=200)
    format = models.CharField(_("format"), max_length=4, choices=Format)
    key = models.CharField(max_length=64, editable=False)  # a digest of what is asked and by whom
    # Sent while it was read, or written by a command: no worker makes it and no file is kept.
    is_direct = models.BooleanField(_("sent at once"), default=False)

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    asked_by_name = models.CharField(_("by"), max_length=150, blank=True)  # also when the account is deleted
    asked_at = models.DateTimeField(_("asked for"), auto_now_add=True)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    rows_expected = models.PositiveBigIntegerField(null=True)  # None where nobody counts them
    tries = models.PositiveSmallIntegerField(default=0)
    problem = SaidField(_("problem"), blank=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    file_name = models.CharField(_("file"), max_length=100, blank=True)  # below MEDIA_ROOT/exports; "" when it is gone
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    # Made for somebody who saw them whole. Nobody knows this of files from before it was kept: they count as such.
    has_whole_numbers = models.BooleanField(default=True, db_default=True, editable=False)
    # The same for names and merge values: made for somebody who saw contacts.
    has_names = models.BooleanField(default=True, db_default=True, editable=False)
    expires_at = models.DateTimeField(_("kept until"), null=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]
        permissions = [("audit_export", _("Can see, cancel and download everybody's exports"))]
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(state__in=["queued", "running"], is_direct=False),
                name="export_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["asked_by", "-id"], name="export_own"),
            models.Index(fields=["id"], name="export_open", condition=_IS_OPEN),
            models.Index(fields=["expires_at"], name="export_kept", condition=models.Q(state="finished")),
        ]

    def __str__(self) -> str:
        return capfirst(self.title)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class ExportDownload(models.Model):
    """Who took the file of an export, and when; a row is never changed."""

    export = models.ForeignKey(Export, models.CASCADE, related_name="downloads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    by_name = models.CharField(_("by"), max_length=150, blank=True)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("download of an export")
        verbose_name_plural = _("downloads of exports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.by_name} {dates.moment(self.at)}"

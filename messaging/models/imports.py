"""Imports of contacts, the rows that did not fit, and what an undo needs."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.kit.words.said import SaidField
from messaging.models.contacts import Contact, ContactGroup


class ContactImport(models.Model):
    """One file of contacts: where it lies, how it is read, how far the job has come, what it found."""

    class State(models.TextChoices):
        PREVIEW = "preview", _("Waiting for you")  # uploaded; the mapping is not confirmed yet
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        UNDONE = "undone", _("Undone")

    file = models.FileField(_("file"), upload_to="imports/", max_length=500)
    file_name = models.CharField(_("file name"), max_length=200)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    encoding = models.CharField(_("encoding"), max_length=40, blank=True)
    headers = models.JSONField(_("header"), default=list)
    delimiter = models.CharField(_("delimiter"), max_length=1, blank=True)
    mapping = models.JSONField(_("columns"), default=dict)  # {"phone number": "number", "city": "attributes.city"}
    region = models.CharField(_("default country"), max_length=2, blank=True)
    sheet = models.CharField(_("sheet"), max_length=100, blank=True)
    sheets = models.JSONField(default=list)  # names of those that can be chosen
    readings = models.JSONField(default=list)  # [{"encoding", "languages", "words"}]: several, a person has to choose
    null_words = models.JSONField(default=dict)  # {"NULL": 12}: what the first rows say for nothing
    left_out = models.JSONField(default=dict)  # {"Klingon, as spoken": 3}: languages that nobody knows
    foreign_without_plus = models.BooleanField(_("foreign numbers are written without +"), default=False)
    allow_unknown_ranges = models.BooleanField(_("take numbers in no known range"), default=False)
    keep_null_words = models.BooleanField(_("keep words such as NULL"), default=False)
    group = models.ForeignKey(ContactGroup, models.SET_NULL, null=True, blank=True, verbose_name=_("group"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PREVIEW)
    explanation = SaidField(_("explanation"), blank=True)

    bytes_done = models.PositiveBigIntegerField(_("bytes read"), default=0)
    lines_done = models.PositiveIntegerField(default=0)  # the last line of the last committed chunk
    rows = models.PositiveIntegerField(_("rows"), default=0)
    added = models.PositiveIntegerField(_("added"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    invalid = models.PositiveIntegerField(_("invalid"), default=0)
    # How many of the added people had been erased before. The import makes contacts of them again, and says so.
    erased_before = models.PositiveIntegerField(_("erased before"), default=0, db_default=0)
    bad_bytes = models.PositiveBigIntegerField(default=0)  # of the file of invalid rows, as far as it is committed

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("contact import")
        verbose_name_plural = _("contact imports")
        ordering = ["-id"]
        permissions = [("undo_contactimport", _("Can undo imports of contacts"))]

    def __str__(self) -> str:
        return self.file_name


class ImportForecast(models.Model):
    """What an import would do, counted from the whole file while somebody looks at its first rows."""

    class State(models.TextChoices):
        LOOKING = "looking", _("Counting")
        DONE = "done", _("Counted")
        FAILED = "failed", _("Failed")

    contact_import = models.OneToOneField(ContactImport, models.CASCADE, related_name="forecast")
    key = models.CharField(max_length=32)  # of how the file is read: with another one it is counted again
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.LOOKING)
    explanation = SaidField(blank=True)
    lines_done = models.PositiveIntegerField(default=0)
    bytes_done = models.PositiveBigIntegerField(default=0)
    numbers_kept = models.PositiveIntegerField(default=0)  # in the file that tells who comes twice
    rows = models.PositiveIntegerField(default=0)
    invalid = models.PositiveIntegerField(default=0)
    twice = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)  # contacts already
    suppressed = models.PositiveIntegerField(default=0)  # on whichever channel
    erased_before = models.PositiveIntegerField(default=0, db_default=0)  # of those that would be added
    reasons = models.JSONField(default=list)  # [["phone", "… is too short", 12, 3]]: how many, and the first row

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"forecast of import {self.contact_import_id}"

    @property
    def new(self) -> int:
        """Contacts that would be added."""
        return self.rows - self.invalid - self.twice - self.known


class ImportedChange(models.Model):
    """A contact that an import has found and changed; those that it added name it themselves."""

    contact_import = models.ForeignKey(ContactImport, models.CASCADE, related_name="+", db_index=False)
    # No constraint: what is left of a contact goes with it, by the index.
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+", db_constraint=False)
    before = models.JSONField(default=dict)  # {column: what was there}, of those that the import has overwritten
    # The contact's `updated_at` at that time; a later change sets another. None: `before` is of no use.
    written_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact_import", "contact"], name="changed_once_an_import")]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.contact_id} by {self.contact_import_id}"


class ImportUndo(models.Model):
    """Taking back what an import added: first it is looked who goes and who stays, then a person confirms it."""

    class State(models.TextChoices):
        LOOKING = "looking", _("Looking")
        READY = "ready", _("Waiting for you")
        RUNNING = "running", _("Running")
        DONE = "done", pgettext_lazy("step", "Done")
        FAILED = "failed", _("Failed")

    contact_import = models.OneToOneField(ContactImport, models.CASCADE, primary_key=True, related_name="undo")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.LOOKING)
    explanation = SaidField(_("explanation"), blank=True)
    cursor = models.BigIntegerField(default=0)  # the last contact that was looked at
    member_cursor = models.BigIntegerField(default=0)  # the same of the group's members
    goes = models.PositiveIntegerField(default=0)
    memberships = models.PositiveIntegerField(default=0)  # that are taken back of contacts that stay
    change_cursor = models.BigIntegerField(default=0)  # the same of contacts that the import has changed
    restores = models.PositiveIntegerField(default=0)  # contacts whose overwritten values are put back
    overtaken = models.PositiveIntegerField(default=0)  # contacts that somebody has changed since: they stay so
    stays = models.JSONField(default=dict)  # {"message": 12}: by the first reason that was found
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    looked_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    confirmed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"undo of import {self.contact_import_id}"


class BadRow(models.Model):
    """A row of a file that is not a contact, and why: the first of them, for the page. A file holds them all."""

    contact_import = models.ForeignKey(ContactImport, models.CASCADE, related_name="bad_rows")
    row = models.PositiveIntegerField(_("row"))  # as a spreadsheet numbers it
    column = models.CharField(_("column"), max_length=120, blank=True)
    value = models.CharField(_("value"), max_length=200, blank=True)
    reason = SaidField(_("reason"))

    class Meta:
        verbose_name = _("bad row")
        ordering = ["row"]

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason}"

"""Who did what: one entry for each act of a person, chained to the one before it."""

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words import said


class AppendOnly(TypeError):
    """Entries are written once: nobody changes or deletes them but the chain's own services."""


class AppendOnlyEntries(models.QuerySet["AuditEntry"]):
    def update(self, **columns: Any) -> NoReturn:
        raise AppendOnly("audit entries are not changed")

    def delete(self) -> NoReturn:
        raise AppendOnly("audit entries are deleted by `manage.py audit prune` alone")


class AuditEntry(models.Model):
    """The person is kept by id and name without a foreign key: what happens to the account changes no entry."""

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    kind = models.CharField(_("what"), max_length=16, choices=Act)
    person_id = models.BigIntegerField(_("person's id"), null=True)
    person = models.CharField(_("who"), max_length=150, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)
    object_kind = models.CharField(_("kind of object"), max_length=60, blank=True)  # "messaging.contact"
    object_id = models.CharField(_("object's id"), max_length=40, blank=True)
    object_label = models.CharField(_("object"), max_length=200, blank=True)
    summary = models.JSONField(_("details"), default=dict)

    # None until it is sealed, which follows the commit at once, or within half a minute (audit#the-chain).
    position = models.BigIntegerField(_("position"), null=True, unique=True)
    digest = models.CharField(_("digest"), max_length=64, blank=True)

    objects = AppendOnlyEntries.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("who did what")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["person", "id"], name="audit_person"),
            models.Index(fields=["kind", "id"], name="audit_kind"),
            models.Index(fields=["object_kind", "id"], name="audit_object_kind"),
            models.Index(fields=["object_id", "object_kind", "id"], name="audit_object"),
            models.Index(fields=["object_label", "id"], name="audit_label"),
            models.Index(fields=["id"], name="audit_unsealed", condition=models.Q(position=None)),
        ]

    def __str__(self) -> str:
        label = masks.in_text(self.object_label)
        return f"{self.get_kind_display()}: {label}" if label else self.get_kind_display()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None and not self._state.adding:
            raise AppendOnly("audit entries are not changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("audit entries are deleted by `manage.py audit prune` alone")

    @property
    def details(self) -> dict[str, Any]:
        """The summary in the language of now."""
        told: dict[str, Any] = said.read_all(self.summary)
        return told


class AuditHead(models.Model):
    """One row: where the chain ends, and where it begins since older entries were removed."""

    position = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    first_position = models.BigIntegerField(default=0)  # the last entry's that was removed for its age
    first_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.position}:{self.digest}"

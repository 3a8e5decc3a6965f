"""When our copy of one of Laaffic's lists was last made, and what came of it."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.words.said import SaidField


class ListCopy(models.Model):
    """One row a list, by its name. An app that copies lists has a table of its own."""

    # What a reading came to, and is kept here: fields of `list_copies.Copied`.
    counted: ClassVar[tuple[str, ...]] = ("rows",)

    name = models.CharField(_("list"), max_length=80, unique=True)
    requested_at = models.DateTimeField(_("asked for"), null=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    succeeded_at = models.DateTimeField(_("last succeeded"), null=True)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    problem = SaidField(_("problem"), blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        waits = self.requested_at is not None
        return waits or (self.started_at is not None and self.finished_at is None)

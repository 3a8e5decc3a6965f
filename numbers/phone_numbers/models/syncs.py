"""When our copy of Laaffic's lists was last made, and what came of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SyncStatus(models.Model):
    """One row a list: "pools", "owned", and "bindings 4luaKsL2" for each application."""

    name = models.CharField(_("list"), max_length=80, unique=True)
    requested_at = models.DateTimeField(_("asked for"), null=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    succeeded_at = models.DateTimeField(_("last succeeded"), null=True)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    added = models.PositiveIntegerField(_("new"), default=0)
    gone = models.PositiveIntegerField(_("gone"), default=0)
    problem = models.CharField(_("problem"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("synchronisation")
        verbose_name_plural = _("synchronisations")

    def __str__(self) -> str:
        return self.name

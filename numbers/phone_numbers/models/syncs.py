"""When our copies of Laaffic's lists of numbers were last read, and with what result."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models.list_copies import ListCopy


class SyncStatus(ListCopy):
    """One row per list: "pools", "owned", and "bindings 4luaKsL2" for each application."""

    counted: ClassVar[tuple[str, ...]] = ("rows", "added", "gone")

    added = models.PositiveIntegerField(_("new"), default=0)
    gone = models.PositiveIntegerField(_("gone"), default=0)

    class Meta:
        verbose_name = _("synchronisation")
        verbose_name_plural = _("synchronisations")

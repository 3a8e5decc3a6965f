"""When messages may leave, by the clocks of their recipients: named calendars, and each application's own."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.gateway.models import Application
from laaffic_console.kit.words.visible_names import VisiblyNamed


class Watched(models.Model):
    """Batches wait by what it says: they are looked at again when it is changed (services/campaigns/calendars.py)."""

    changed_at = models.DateTimeField(pgettext_lazy("moment", "changed"), auto_now=True)
    # When what waits by it was last looked at again; None: not since it was saved.
    looked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def save(self, *, update_fields: Iterable[str] | None = None, **given: Any) -> None:
        self.looked_at = None
        super().save(update_fields=None if update_fields is None else {*update_fields, "looked_at"}, **given)


class Calendar(VisiblyNamed, Watched):
    """Hours and dates as people write them (messaging/hours/opening_hours.py)."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    hours = models.TextField(
        _("hours"),
        error_messages={"blank": _("Write the hours, one line each, for example mon-fri 09:00-20:00.")},
        help_text=_(
            "In the recipient's own time, one line each: mon-fri 09:00-20:00. For a country instead: "
            "IN, BD: mon-sat 10:00-19:00. Hours may run over midnight: fri 20:00-02:00."
        ),
    )
    left_out = models.TextField(
        _("dates left out"),
        blank=True,
        help_text=_("One a line: 2026-12-25. For a country only: IN: 2026-08-15."),
    )

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ApplicationCalendar(Watched):
    """The calendar of an application's campaigns that name none of their own."""

    application = models.OneToOneField(
        Application, models.CASCADE, related_name="sending_hours", verbose_name=_("application")
    )
    calendar = models.ForeignKey(
        Calendar, models.PROTECT, null=True, blank=True, related_name="applications", verbose_name=_("calendar")
    )

    class Meta:
        verbose_name = _("application's calendar")
        verbose_name_plural = _("applications' calendars")
        ordering = ["application"]

    def __str__(self) -> str:
        return f"{self.application}: {self.calendar or '–'}"

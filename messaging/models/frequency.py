"""How many messages a person may get at most, for applications that differ from the console's settings."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import Application
from laaffic_console.kit.words.visible_names import SaysWhatIsTaken


class FrequencyCap(SaysWhatIsTaken):
    """The limit for one application's campaigns: they send nothing to a person who has had so many on the channel."""

    application = models.OneToOneField(
        Application, models.CASCADE, related_name="frequency_cap", verbose_name=_("application")
    )
    per_day = models.PositiveIntegerField(
        _("messages in 24 hours"),
        null=True,
        blank=True,
        help_text=_("For one person, over all campaigns of the channel. 0: no limit. Empty: the console's own."),
    )
    per_week = models.PositiveIntegerField(
        _("messages in 7 days"),
        null=True,
        blank=True,
        help_text=_("For one person, over all campaigns of the channel. 0: no limit. Empty: the console's own."),
    )
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("frequency cap")
        verbose_name_plural = _("frequency caps")
        ordering = ["application"]

    def __str__(self) -> str:
        return str(self.application)

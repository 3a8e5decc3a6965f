"""The limits above which a launch needs a second person, if the console sets others than its environment."""

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ApprovalLimits(models.Model):
    """One row counts for the console (approval_limits.ONLY); what is empty is as the environment says."""

    recipients = models.PositiveIntegerField(
        _("recipients above which a second person is asked"), null=True, blank=True
    )
    cost = models.CharField(_("expected cost above which a second person is asked"), max_length=200, blank=True)
    changed_at = models.DateTimeField(pgettext_lazy("moment", "changed"), auto_now=True)

    class Meta:
        verbose_name = _("approval limits")
        verbose_name_plural = _("approval limits")
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return capfirst(str(self._meta.verbose_name))

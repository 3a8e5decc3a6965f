"""Texts that are sent again and again: each by its name, with every version that it has had."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.kit.words.visible_names import VisiblyNamed


class MessageTemplate(VisiblyNamed):
    name = models.CharField(_("name"), max_length=120, unique=True)
    text = models.TextField(_("text"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    changed_at = models.DateTimeField(pgettext_lazy("moment", "changed"), auto_now=True)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """A text that a template has had. A row is never changed, and outlives its template: campaigns point at it."""

    template = models.ForeignKey(MessageTemplate, models.SET_NULL, null=True, related_name="versions")
    name = models.CharField(_("name"), max_length=120)  # of the template, as it was called then
    number = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"))
    note = models.CharField(_("what changed"), max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("version of a template")
        verbose_name_plural = _("versions of templates")
        default_permissions = ()
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]

    def __str__(self) -> str:
        return _("%(name)s, version %(n)d") % {"name": self.name, "n": self.number}

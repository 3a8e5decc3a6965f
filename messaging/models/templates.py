"""Texts that are sent again and again: each by its name, with every version that it has had."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class MessageTemplate(models.Model):
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


def drafts_from(templates: Iterable[MessageTemplate]) -> models.QuerySet[Any]:
    """Drafts of campaigns whose text comes from one of these templates."""
    from messaging.models.campaigns import Campaign, CampaignState  # it points at versions

    chosen = [template.pk for template in templates]
    drafts = Campaign.objects.filter(template_version__template__in=chosen, state=CampaignState.DRAFT)
    return drafts.order_by("pk")


@receiver(models.signals.pre_delete, sender=MessageTemplate)
def keep_template_while_used(instance: MessageTemplate, **_said: Any) -> None:
    """Wherever it is deleted from, and under its lock. A draft keeps its text in any case."""
    with transaction.atomic():
        list(MessageTemplate.objects.select_for_update().filter(pk=instance.pk).values_list("pk"))
    if drafts := list(drafts_from([instance])[:5]):
        names = ", ".join(f"“{draft}”" for draft in drafts)
        said = _("The template “%(template)s” is used by the draft %(names)s: launch or delete that first.")
        raise models.ProtectedError(said % {"template": instance.name, "names": names}, set(drafts))

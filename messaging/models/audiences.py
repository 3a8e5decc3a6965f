"""Audiences defined by a condition instead of a list: everyone who meets it when a campaign is launched."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.kit.words.visible_names import VisiblyNamed
from messaging.models.contacts import ContactGroup


class Audience(VisiblyNamed):
    name = models.CharField(_("name"), max_length=120, unique=True)
    condition = models.TextField(
        _("condition"),
        help_text=_('For example: country in (IN, BD) and language = en and not group "Staff"'),
    )
    tree = models.JSONField(
        default=dict, editable=False
    )  # the condition as it was read (messaging/conditions/conditions.py)
    # The groups that it names: without one of them it would say something else.
    named_groups = models.ManyToManyField(ContactGroup, related_name="+", blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(pgettext_lazy("moment", "changed"), auto_now=True)

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

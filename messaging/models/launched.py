"""What a campaign of any channel says of itself: who wrote and launched it, what keeps it back, what happened to it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.kit.words.said import SaidField


class Launched(models.Model):
    """Written by people, launched by one of them. Services write all of this, and no form does."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    # Anyone who wrote or edited it by hand: none of them approves it.
    authors = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    launched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("launched by"),
    )
    launched_at = models.DateTimeField(pgettext_lazy("moment", "launched"), null=True, editable=False)
    # Until then a launch can be taken back: nothing has left, and no recipient is frozen.
    undo_until = models.DateTimeField(_("can be taken back until"), null=True, editable=False)
    hold_reason = SaidField(_("why it is held"), blank=True, editable=False)
    outside_hours = models.BooleanField(default=False, editable=False)  # once, by an approver's word

    class Meta:
        abstract = True


class Happened(models.Model):
    """What happened to one of them, and who did it; a row is never changed. The heir says to which, as `events`."""

    at = models.DateTimeField(_("when"), auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    text = SaidField(_("what"))

    class Meta:
        abstract = True
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.text

"""What a campaign of any channel says of itself: who wrote and launched it, what keeps it back, what happened to it."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.kit.words.planned_years import PlannedMomentField
from laaffic_console.kit.words.said import SaidField


class HoldKind(models.TextChoices):
    """Why a campaign of any channel is held, for code and scripts; people read the hold's sentence."""

    RESTORE_UNFINISHED = "restore_unfinished"  # no restore has said yet what may have left: nothing may be done to it
    RESTORED = "restored"  # from a backup: what may have left since has to be looked at
    ACCOUNT = "account"  # or its application, or its own answers are lost: it goes on by itself
    LATEST_END = "latest_end"  # has come: a resume that was asked about it lifts it
    FEW_FIRST = "few_first"  # were not delivered well enough, or none of them left
    TOO_LATE = "too_late"  # its time had passed by more than its limit
    OTHER = "other"  # refused, not approved, changed, over budget …


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
    # "" where it is not held, and where a version held it that wrote the sentence alone (`is_held_as`).
    hold_kind = models.CharField(max_length=20, choices=HoldKind, blank=True, default="", db_default="", editable=False)
    outside_hours = models.BooleanField(default=False, editable=False)  # once, by an approver's word

    application: Any  # each channel has its own, as its state
    state: Any
    latest_end: PlannedMomentField  # each channel says in its own words what happens then

    class Meta:
        abstract = True

    def is_held_as(self, kind: HoldKind, said: str) -> bool:
        """Whether it is held, and for this. `said`: the sentence that tells it of a hold without a kind."""
        if self.hold_kind and self.hold_reason:  # a version without kinds clears the sentence alone
            return self.hold_kind == kind
        return self.hold_reason == said


class Happened(models.Model):
    """What happened to a campaign, and who did it; a row is never changed. Subclasses say which one (`events`)."""

    at = models.DateTimeField(_("when"), auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    text = SaidField(_("what"))

    class Meta:
        abstract = True
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.text

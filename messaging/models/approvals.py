"""A second person's word on a campaign, bound to what they saw."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.campaigns import Campaign


class Approval(models.Model):
    """Asked for by one person, decided by another; it counts only for the draft as it stood when it was asked for."""

    class Outcome(models.TextChoices):
        ASKED = "asked", _("Waiting")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        VOID = "void", _("Void")  # the draft was changed, or asked for anew

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="approvals", verbose_name=_("campaign"))
    # {part of the draft: digest}: content, audience and schedule, so that it can be said which of them was changed.
    bound_to = models.JSONField(default=dict, editable=False)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.ASKED)
    recipients = models.PositiveIntegerField(_("recipients"))
    cost = models.CharField(_("expected cost"), max_length=120, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    asked_note = models.CharField(_("what was said with it"), max_length=200, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    note = models.CharField(_("why"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"],
                name="approval_one_open",
                condition=models.Q(outcome__in=["asked", "approved"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign} · {self.get_outcome_display()}"

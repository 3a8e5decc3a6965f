"""A second person's word on a campaign, bound to what they saw."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from messaging.models.about_drafts import OfOneDraft, of_one_draft, one_open


class Approval(OfOneDraft):
    """Asked for by one person, decided by another; it counts only for the draft as it stood when it was asked for."""

    class Outcome(models.TextChoices):
        ASKED = "asked", _("Waiting")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", pgettext_lazy("approval", "Refused")
        VOID = "void", _("Void")  # the draft was changed, or asked for again
        WITHDRAWN = "withdrawn", pgettext_lazy("approval", "Withdrawn")  # by `decided_by`

    # {part of the draft: digest}: content, audience and schedule, so that it can be said which of them was changed.
    bound_to = models.JSONField(default=dict, editable=False)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.ASKED)
    recipients = models.PositiveIntegerField(_("recipients"), null=True)  # null: nobody can tell
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
            *one_open("approval_one_open", models.Q(outcome__in=["asked", "approved"])),
            of_one_draft("approval_of_one_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.draft} · {self.get_outcome_display()}"

    @property
    def review_page(self) -> str:
        """The name of its draft's page before the launch."""
        return f"admin:{self.draft._meta.app_label}_{self.draft._meta.model_name}_review"

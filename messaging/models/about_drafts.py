"""Rows about a campaign of any channel: one of three columns says about which."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.campaigns import Campaign
from messaging.models.emails import EmailCampaign

# Which of these is set says what kind of campaign it is. The heirs are under their plural there: `campaign.proofs`.
DRAFTS = ("campaign", "email_campaign", "group_task")


class OfOneDraft(models.Model):
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, null=True, related_name="%(class)ss", verbose_name=_("campaign")
    )
    email_campaign = models.ForeignKey(
        EmailCampaign, models.CASCADE, null=True, related_name="%(class)ss", verbose_name=_("email campaign")
    )
    group_task = models.ForeignKey(
        "voice.GroupTask", models.CASCADE, null=True, related_name="%(class)ss", verbose_name=_("group-call task")
    )

    class Meta:
        abstract = True

    @property
    def draft_kind(self) -> str:
        """The kind of draft that the row is about, by the name that webhooks and the API use."""
        return next(name for name in DRAFTS if getattr(self, f"{name}_id") is not None)

    @property
    def draft(self) -> Any:
        """What it is about."""
        return self.campaign or self.email_campaign or self.group_task


def of_one_draft(name: str) -> models.CheckConstraint:
    """A constraint: exactly one of the three columns is set."""
    return models.CheckConstraint(
        name=name,
        condition=models.Q(campaign__isnull=False, email_campaign=None, group_task=None)
        | models.Q(campaign=None, email_campaign__isnull=False, group_task=None)
        | models.Q(campaign=None, email_campaign=None, group_task__isnull=False),
    )


def one_open(name: str, is_open: models.Q) -> list[models.UniqueConstraint]:
    """Constraints, one for each kind of draft: a campaign has at most one open row."""
    names = (name, f"{name}_email", f"{name}_task")
    return [
        models.UniqueConstraint(fields=[draft], name=one, condition=is_open)
        for draft, one in zip(DRAFTS, names, strict=True)
    ]

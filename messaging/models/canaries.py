"""The first few of a campaign: who they are, and what was decided by what happened to them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.words.said import SaidField
from messaging.models.campaigns import Campaign


class Canary(models.Model):
    """The first few of one launch. Until they have passed, only messages to them leave (services/gates/canary.py)."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, primary_key=True, related_name="few_first")
    size = models.PositiveIntegerField(default=0)
    countries = models.JSONField(default=dict)  # {country: how many were chosen}
    rejected_before = models.PositiveIntegerField(default=0)  # when the audience was frozen: none of these ever leaves
    drawn_at = models.DateTimeField(null=True)
    parted_at = models.DateTimeField(null=True)  # those who were chosen are in batches of their own
    sent_at = models.DateTimeField(null=True)  # the last of them has left: its reports are waited for from here
    said_late_at = models.DateTimeField(null=True)
    figures = models.JSONField(default=dict)  # what was decided on, the last time
    hold_reason = SaidField(blank=True)  # its own, where it held the campaign
    passed_at = models.DateTimeField(null=True)
    passed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    let_go_at = models.DateTimeField(null=True)  # the rest waits for it no longer

    class Meta:
        verbose_name = _("canary")
        verbose_name_plural = _("canaries")

    def __str__(self) -> str:
        return f"canary of campaign {self.campaign_id}"


class CanaryMessage(models.Model):
    """One of those who were chosen."""

    message_id = models.BigIntegerField(primary_key=True)
    canary = models.ForeignKey(Canary, models.CASCADE, related_name="chosen")

    class Meta:
        verbose_name = _("message of a canary")
        verbose_name_plural = _("messages of canaries")

    def __str__(self) -> str:
        return f"message {self.message_id}"

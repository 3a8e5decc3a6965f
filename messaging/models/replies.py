"""What people answer (MO, laaffic-api#replies)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.gateway.models import Application
from laaffic_console.kit.masking.masks import masked
from messaging.models.campaigns import Campaign


class Reply(models.Model):
    class Source(models.TextChoices):
        PUSH = "push", _("Pushed")
        PULL = "recordMo", _("Asked for")

    # A pulled reply has no id: the number, the second and the words are what both ways have.
    key = models.CharField(max_length=80, unique=True)
    number = models.CharField(_("number"), max_length=20)
    country = models.CharField(_("country"), max_length=2, blank=True)  # of the number, where it says one
    network = models.PositiveIntegerField(_("network"), null=True)  # messaging/wire/networks.py
    content = models.TextField(_("text"))
    sent_to = models.CharField(_("sent to"), max_length=32, blank=True)  # the sender ID that was answered
    at = models.DateTimeField(_("when"))
    received_at = models.DateTimeField(_("received"))
    source = models.CharField(_("came by"), max_length=8, choices=Source)
    gateway_id = models.CharField(_("gateway id"), max_length=40, blank=True)
    operator = models.CharField(_("operator"), max_length=60, blank=True)
    # Which campaign it most likely answers: the last that reached this number before.
    campaign = models.ForeignKey(
        Campaign,
        models.SET_NULL,
        null=True,
        related_name="replies",
        verbose_name=pgettext_lazy("campaign", "answers"),
        db_index=False,
    )
    opt_out = models.CharField(_("opted out with"), max_length=40, blank=True)  # the word, as the settings have it
    suppressed_on = models.CharField(_("suppressed on"), max_length=8, blank=True)

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        ordering = ["-id"]
        permissions = [("export_reply", _("Can export replies"))]
        indexes = [
            models.Index(fields=["number", "id"], name="reply_number"),
            models.Index(fields=["at"], name="reply_at"),
            models.Index(fields=["campaign", "id"], name="reply_campaign", condition=models.Q(campaign__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{masked(self.number)}: {self.content[:40]}"


class ReplyPull(models.Model):
    """How far an application's replies have been asked for."""

    application = models.OneToOneField(Application, models.CASCADE, related_name="+")
    pulled_until = models.DateTimeField(_("asked for until"), null=True)
    read_at = models.DateTimeField(null=True)  # when it was asked for until then
    tried_at = models.DateTimeField(_("last tried"))
    asked_at = models.DateTimeField(null=True)  # when a launch last read for some seconds, which is not a try
    problem = models.CharField(_("problem"), max_length=300, blank=True)
    restored_at = models.DateTimeField(null=True)  # what came before may have been acted on, and no row says so

    class Meta:
        verbose_name = _("asking for replies")
        verbose_name_plural = _("asking for replies")

    def __str__(self) -> str:
        return f"{self.application_id} until {self.pulled_until}"

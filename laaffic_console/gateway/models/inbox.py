"""The inbox of pushes in: the body is stored first and applied by a job (inbox#rules)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class PushKind(models.TextChoices):
    SMS_REPORT = "sms-report", _("SMS report")
    SMS_REPLY = "sms-reply", _("SMS reply")
    VOICE_REPORT = "voice-report", _("Voice report")
    VOICE_RINGING = "voice-ringing", _("Ringing phone")
    EMAIL_REPORT = "email-report", _("Email report")


class PushedBody(models.Model):
    kind = models.CharField(_("kind"), max_length=16, choices=PushKind)
    # What we put at the end of the address that we gave away: it leads back to what asked for this push.
    mark = models.CharField(_("mark"), max_length=40, blank=True)
    body = models.TextField(_("body"))
    size = models.PositiveIntegerField(_("characters"), default=0, db_default=0)
    received_at = models.DateTimeField(_("received"))
    source = models.GenericIPAddressField(_("source address"), null=True)
    applied_at = models.DateTimeField(_("applied"), null=True)
    entries = models.PositiveIntegerField(_("entries"), null=True)
    position = models.PositiveIntegerField(_("entries applied"), default=0, db_default=0)  # the next one's place
    problems = models.JSONField(_("problems"), default=list)  # what could not be read or applied, in words
    failed = models.PositiveIntegerField(_("entries not applied"), default=0, db_default=0)  # a second try may

    class Meta:
        verbose_name = _("pushed body")
        verbose_name_plural = _("inbox")
        ordering = ["-id"]
        permissions = [
            ("read_pushedbody", _("Can read pushed bodies and reports as they came, with every number and text"))
        ]
        indexes = [
            models.Index(fields=["kind", "id", "size"], name="push_next", condition=models.Q(applied_at=None)),
            models.Index(fields=["id"], name="push_failed", condition=models.Q(failed__gt=0)),
            models.Index(fields=["received_at"], name="push_received"),
            models.Index(fields=["kind", "received_at"], name="push_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class OrphanReport(models.Model):
    """A report about an id that nobody knows yet: a push can arrive before its answer is settled."""

    kind = models.CharField(_("kind"), max_length=16, choices=PushKind)
    pushed_body = models.ForeignKey(PushedBody, models.CASCADE, null=True, related_name="+")
    key = models.CharField(
        pgettext_lazy("identity", "key"), max_length=128
    )  # one row per distinct report, however often it is pushed
    gateway_id = models.CharField(_("gateway id"), max_length=40, blank=True)
    order_id = models.CharField(_("order id"), max_length=64, blank=True)
    number = models.CharField(_("number"), max_length=20, blank=True)
    report = models.JSONField(pgettext_lazy("delivery", "report"))
    first_seen = models.DateTimeField(_("first seen"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True)  # None: nothing more will be tried
    matched_at = models.DateTimeField(_("matched"), null=True)
    problem = models.CharField(_("problem"), max_length=300, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("report without a message")
        verbose_name_plural = _("reports without a message")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="orphan_once")]
        indexes = [
            models.Index(
                fields=["kind", "next_try_at", "id"],
                name="orphan_due_of_kind",
                condition=models.Q(next_try_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.gateway_id or self.order_id

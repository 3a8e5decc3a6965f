"""The ledger: one entry for each request that acts, committed before it leaves (laws#record-send-settle)."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.gateway.models.applications import Application
from laaffic_console.kit.sql.partial_indexes import WordForWord


class EntryState(models.TextChoices):
    PREPARED = "prepared", _("Prepared")  # recorded; the request has not left
    IN_FLIGHT = "in_flight", _("In flight")  # the request may have left
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")
    NOT_SENT = "not_sent", _("Not sent")  # it is certain that the gateway never saw it
    UNKNOWN = "unknown", _("Unknown")  # the answer was lost; evidence or a person settles it
    LAPSED = "lapsed", _("Never known")  # as unknown, and what was asked for would be over: nobody looks any more


class EvidenceKind(models.TextChoices):
    """What an entry's outcome is known by. The code decides by it: the words beside it are for people."""

    ANSWER = "answer", _("Laaffic's answer")
    LATE_ANSWER = "late_answer", _("A late answer")  # a person had sent again what it carried
    NO_ANSWER = "no_answer", _("No answer")
    REPORT = "report", _("A report")  # or a callback, or a call's record
    LIST = "list", _("Laaffic's list")
    REQUEST = "request", _("Another request")
    PERSON = "person", _("A person")
    CONSOLE = "console", _("This console")  # it was kept back here
    TIME = "time", _("Its time is over")
    RESTORE = "restore", _("A restore")


# What entries are written for. The list's filter offers these: to ask the entries takes longer with each that comes.
INTERFACES = (
    *("sendSms", "sendSms/batch", "mmsUpload", "mmsSend", "email/sendEmail", "email/batchSendEmail"),
    *("voice/sendCode", "voice/sendSip", "voice/sipAdd", "voice/sipReset", "voice/fileUpload"),
    *("voice/group/call/send", "voice/group/call/update", "voice/group/call/resend", "voice/group/call/cancel"),
    *("bind", "unbind", "createNumberPool", "editNumberPool", "number/edit"),
)


_IS_OPEN = models.Q(state__in=["prepared", "in_flight", "unknown"])
IS_OPEN_ENTRY = WordForWord(_IS_OPEN)


class LedgerEntry(models.Model):
    State = EntryState

    interface = models.CharField(_("interface"), max_length=40)
    application = models.ForeignKey(
        Application, models.PROTECT, null=True, related_name="+", verbose_name=_("application")
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked by")
    )
    about_kind = models.CharField(_("about"), max_length=20)  # "campaign", "audio file" …
    about_id = models.BigIntegerField(_("about id"), null=True)
    summary = models.JSONField(_("summary"), default=dict)  # counts and names; never a secret, never a full list
    digest = models.CharField(_("digest of the request"), max_length=64, blank=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    state = models.CharField(_("state"), max_length=10, choices=EntryState, default=EntryState.PREPARED)
    worker = models.CharField(_("worker"), max_length=80, blank=True)

    prepared_at = models.DateTimeField(_("prepared"))
    left_at = models.DateTimeField(pgettext_lazy("moment", "left"), null=True)
    clock_ahead = models.FloatField(_("clock ahead"), null=True)  # seconds that `left_at` may be ahead, or behind
    settled_at = models.DateTimeField(_("settled"), null=True)

    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    code = models.CharField(_("code"), max_length=16, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    evidence = models.CharField(_("evidence"), max_length=300, blank=True)
    # "" while nothing is known, and where an earlier version wrote the words alone (past_evidence_kinds.py).
    evidence_kind = models.CharField(
        _("known by"), max_length=12, choices=EvidenceKind, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-id"]
        permissions = [
            ("settle_ledgerentry", _("Can say what became of a request whose answer was lost")),
            ("export_ledgerentry", _("Can export the ledger")),
        ]
        indexes = [
            models.Index(fields=["about_kind", "about_id", "id"], name="call_about"),
            models.Index(
                fields=["state", "prepared_at"],
                name="call_open",
                condition=_IS_OPEN,
            ),
            models.Index(
                fields=["prepared_at"],
                name="call_other_unknown",
                condition=models.Q(state="unknown") & ~models.Q(about_kind="campaign"),
            ),
            models.Index(  # how often a whole list was mailed lately
                Coalesce("left_at", "prepared_at"),
                name="call_whole_list",
                condition=models.Q(interface="email/batchSendEmail"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interface} #{self.pk}"

    @property
    def may_have_left_since(self) -> dt.datetime | None:
        """The earliest moment, of one that a restore made doubtful: most often the backup's. None: it left, or not."""
        if self.evidence_kind != EvidenceKind.RESTORE or self.state == EntryState.NOT_SENT or self.left_at is None:
            return None
        return self.left_at - dt.timedelta(seconds=self.clock_ahead or 0.0)

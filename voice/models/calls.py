"""Calls: those from SIP phones, the records of how each ended, phones that ring."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.words.figures import money
from laaffic_console.kit.words.said import shaped
from laaffic_console.laaffic import CallKind, CallOutcome, RingingKind

KINDS = {
    CallKind.GROUP: _("group call"),
    CallKind.TTS: _("TTS message"),
    CallKind.SIP: _("SIP phone"),
    CallKind.SIP_DIRECT: _("SIP phone, dialled"),
}
RINGING_KINDS = [
    (int(RingingKind.TO_AGENT), _("group call, to an agent")),
    (int(RingingKind.CALL_CENTER), _("call center")),
    (int(RingingKind.SIP), _("SIP phone")),
]
OUTCOMES = {
    CallOutcome.ANSWERED: _("answered"),
    CallOutcome.VOICEMAIL: _("went to voicemail"),
    CallOutcome.BUSY: _("busy"),
    CallOutcome.NO_ANSWER: _("not answered"),
    CallOutcome.DECLINED: _("declined"),
    CallOutcome.NO_SUCH_NUMBER: _("no such number"),
    CallOutcome.FAILED: _("the call failed"),
}
OUTCOME_CHOICES = [(outcome.value, words) for outcome, words in OUTCOMES.items()]
KIND_CHOICES = [(int(kind), words) for kind, words in KINDS.items()]
HAS_KEY = ~models.Q(key_pressed="")


class CallRecord(models.Model):
    """A call that has ended, as told by a push or by Laaffic's records, whichever came first."""

    class Source(models.TextChoices):
        PUSH = "push", _("push")
        RECORD = "record", _("record")

    voice_id = models.CharField(_("voice id"), max_length=64, unique=True)
    kind = models.PositiveSmallIntegerField(_("kind"), choices=KIND_CHOICES, null=True)  # not all records say it
    callee = models.CharField(_("number"), max_length=20)
    display_number = models.CharField(_("display number"), max_length=20, blank=True)
    operator = models.CharField(_("operator"), max_length=80, blank=True)
    at = models.DateTimeField(_("time"))  # when it was made, else asked for, else when we first heard of it
    submitted_at = models.DateTimeField(_("submitted"), null=True)
    called_at = models.DateTimeField(_("called"), null=True)
    ringing_at = models.DateTimeField(_("ringing"), null=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    hung_up_at = models.DateTimeField(_("hung up"), null=True)
    duration = models.PositiveIntegerField(_("talked"), null=True)  # seconds
    charged = models.PositiveIntegerField(_("billed"), null=True)  # seconds
    outcome = models.CharField(_("outcome"), max_length=16, choices=OUTCOME_CHOICES)
    termination_code = models.CharField(_("termination code"), max_length=16, blank=True)
    termination_reason = models.CharField(_("termination reason"), max_length=200, blank=True)
    call_status = models.PositiveSmallIntegerField(_("call status"), null=True)
    cost = models.DecimalField(_("cost"), max_digits=16, decimal_places=6, null=True)
    currency = models.CharField(_("currency"), max_length=8, blank=True)
    # A cost that a push named and that cannot be right: in no total until Laaffic's records or a person confirm it.
    doubtful_cost = models.DecimalField(_("doubtful cost"), max_digits=16, decimal_places=6, null=True)
    doubtful_currency = models.CharField(_("its currency"), max_length=8, blank=True)
    cost_word = models.CharField(_("decided"), max_length=300, blank=True)
    bill_period = models.CharField(_("billing"), max_length=16, blank=True)
    key_pressed = models.CharField(_("key"), max_length=8, blank=True)
    called_info = models.CharField(_("our mark"), max_length=1000, blank=True)
    phone_group = models.CharField(_("phone group"), max_length=80, blank=True)
    phone_name = models.CharField(_("phone"), max_length=80, blank=True)
    voice_file_id = models.CharField(_("audio file"), max_length=120, blank=True)
    recording_id = models.CharField(_("recording"), max_length=200, blank=True)
    recall_count = models.PositiveSmallIntegerField(_("recalls"), null=True)
    task_id = models.CharField(_("task"), max_length=40, blank=True)
    source = models.CharField(_("came by"), max_length=6, choices=Source)
    first_seen_at = models.DateTimeField(_("first seen"))

    class Meta:
        verbose_name = _("call record")
        verbose_name_plural = _("call records")
        permissions = [
            ("export_callrecord", _("Can export call records")),
            ("resolve_callrecord", _("Can decide on a call's cost that cannot be right")),
        ]
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="record_latest"),
            models.Index(fields=["callee", "-at"], name="record_callee"),
            # In the order of the whole list, or a rare value would be looked for in all records.
            models.Index(fields=["outcome", "-at", "-id"], name="record_by_outcome"),
            models.Index(fields=["kind", "-at", "-id"], name="record_by_kind"),
            models.Index(fields=["outcome", "id"], name="record_outcome_id"),  # the API pages by id
            models.Index(fields=["kind", "id"], name="record_kind_id"),
            models.Index(fields=["key_pressed", "-at", "-id"], name="record_by_key", condition=HAS_KEY),
            models.Index(fields=["-at", "-id"], name="record_with_key", condition=HAS_KEY),
            models.Index(fields=["task_id", "-at"], name="record_task", condition=~models.Q(task_id="")),
            models.Index(fields=["-at", "-id"], name="record_with_audio", condition=~models.Q(recording_id="")),
        ]

    def __str__(self) -> str:
        return shaped("%(number)s %(at)s", number=masked(self.callee), at=self.at)

    @property
    def money(self) -> str:
        return "" if self.cost is None else money(self.cost, self.currency)

    @property
    def is_doubted(self) -> bool:
        """Whether a person has to decide what the call cost."""
        return self.cost is None and self.doubtful_cost is not None and not self.cost_word


class Ringing(models.Model):
    """A phone that rang for a call, as pushed while it rang; what happened to the call is in its record."""

    call_id = models.CharField(_("call"), max_length=64)
    sip_account = models.CharField(_("SIP account"), max_length=64, blank=True)
    kind = models.PositiveSmallIntegerField(_("kind"), choices=RINGING_KINDS, null=True)
    called = models.CharField(_("number"), max_length=20, blank=True)
    called_info = models.CharField(_("our mark"), max_length=200, blank=True)
    agent_group = models.CharField(_("agent group"), max_length=80, blank=True)
    unanswered = models.CharField(_("not answered by"), max_length=300, blank=True)
    task_id = models.CharField(_("task"), max_length=40, blank=True)
    at = models.DateTimeField(_("time"))  # when it began to ring, else when we heard of it

    class Meta:
        verbose_name = _("ringing phone")
        verbose_name_plural = _("ringing phones")
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["call_id", "sip_account"], name="ringing_once")]
        indexes = [
            models.Index(fields=["task_id", "-at"], name="ringing_task", condition=~models.Q(task_id="")),
        ]

    def __str__(self) -> str:
        return shaped("%(number)s %(at)s", number=self.sip_account or self.called, at=self.at)


class CallTally(models.Model):
    """Call records by day, so that no page counts them; moved in the transaction that writes the records."""

    day = models.DateField(_("day"))  # UTC
    kind = models.PositiveSmallIntegerField(_("kind"), default=0)  # 0: not said
    outcome = models.CharField(_("outcome"), max_length=16)
    currency = models.CharField(_("currency"), max_length=8, blank=True)
    calls = models.BigIntegerField(default=0)
    seconds = models.BigIntegerField(default=0)
    charged = models.BigIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "kind", "outcome", "currency"], name="call_tally_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.outcome}"


class SipCall(models.Model):
    """A call that somebody asked for from a SIP phone. Its ledger row and its record say what happened to it."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="+", verbose_name=_("application"))
    account = models.CharField(_("SIP account"), max_length=64)
    callee = models.CharField(_("number"), max_length=20)
    display_number = models.CharField(_("display number"), max_length=20, blank=True)
    contact = models.ForeignKey(
        "messaging.Contact", models.SET_NULL, null=True, related_name="+", verbose_name=_("contact")
    )
    called_info = models.CharField(max_length=64, unique=True)  # our mark: it comes back with pushes and records
    # The last attempt; the ledger has all of them.
    entry = models.ForeignKey(LedgerEntry, models.PROTECT, null=True, related_name="+", verbose_name=_("ledger row"))
    voice_id = models.CharField(_("voice id"), max_length=64, blank=True)
    record = models.OneToOneField(
        CallRecord, models.SET_NULL, null=True, related_name="sip_call", verbose_name=_("record")
    )
    ringing_at = models.DateTimeField(_("ringing"), null=True)  # of the last attempt, as pushed while it rang
    look_at = models.DateTimeField(null=True)  # when its record is looked for next
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked by")
    )
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)

    class Meta:
        verbose_name = _("call from a SIP phone")
        verbose_name_plural = _("calls from SIP phones")
        permissions = [("export_sipcall", _("Can export calls from SIP phones"))]
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["callee", "-id"], name="sip_call_callee"),
            models.Index(fields=["voice_id"], name="sip_call_voice", condition=~models.Q(voice_id="")),
            models.Index(fields=["look_at"], name="sip_call_due", condition=models.Q(look_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(masked(self.callee))

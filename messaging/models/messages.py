"""Messages, the batches they travel in, and the figures kept as things happen.

A batch is what one POST carries and what a worker claims: one row changes hands, not a thousand. So a message whose
column says `queued` is *claimed* while its batch is, and *accepted* as soon as its batch has been answered: the answer
is one row, and the messages' own rows follow (services/batches/answers.py). A batch's row lock guards its messages:
code that changes their states holds it and moves its tallies in the same transaction.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit.sql.partial_indexes import WordForWord
from messaging.models.campaigns import Campaign
from messaging.models.contacts import Contact


class MessageState(models.IntegerChoices):
    """Ordered by how much is known: evidence may only move a message to a higher state (laws#best-report-wins)."""

    QUEUED = 0, _("Queued")
    CLAIMED = 5, _("Claimed")  # never stored: a queued message of a claimed batch
    SUPPRESSED = 10, _("Suppressed")
    CANCELLED = 15, _("Cancelled")
    UNKNOWN = 20, _("Unknown")
    REJECTED = 30, _("Rejected")
    ACCEPTED = 40, _("Accepted")
    EXPIRED = 50, _("Expired")
    UNDELIVERED = 60, _("Undelivered")
    DELIVERED = 70, _("Delivered")

    @property
    def key(self) -> str:
        """The word of the contract with scripts (commands#documents)."""
        return self.name.lower()


# In one of these at its first attempt a message has never left; at a later one what was given up may have arrived.
NEVER_LEFT = (MessageState.SUPPRESSED, MessageState.CANCELLED, MessageState.REJECTED)


def has_never_left() -> models.Q:
    return models.Q(state__in=NEVER_LEFT, attempt=1)


# States that few messages reach, and that are searched for in all campaigns, newest first. No message
# passes through one of these on its usual way, so their index costs a send nothing.
EXCEPTIONAL = (
    MessageState.SUPPRESSED,
    MessageState.CANCELLED,
    MessageState.UNKNOWN,
    MessageState.REJECTED,
    MessageState.EXPIRED,
    MessageState.UNDELIVERED,
)
_IS_EXCEPTIONAL = models.Q(state__in=EXCEPTIONAL)
IS_EXCEPTIONAL_MESSAGE = WordForWord(_IS_EXCEPTIONAL)


class BatchState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    CLAIMED = "claimed", _("Claimed")
    UNKNOWN = "unknown", _("Unknown")
    SETTLED = "settled", _("Settled")


_IS_OPEN = models.Q(state__in=["queued", "claimed", "unknown"])


class Batch(models.Model):
    State = BatchState

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="batches", db_index=False)
    # Its messages lie between these ids and carry its id: found by primary key, without an index of their own.
    first_message_id = models.BigIntegerField()
    last_message_id = models.BigIntegerField()
    size = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=BatchState, default=BatchState.QUEUED)
    not_before = models.DateTimeField(null=True)
    waits_for = models.CharField(max_length=60, blank=True)  # why until then: "kind:value" of a gate (services/gates)
    attempt = models.PositiveSmallIntegerField(default=0)
    # When Laaffic first said that its one phone has its limit; later by as long as nothing was tried since.
    limited_since = models.DateTimeField(null=True)
    token = models.CharField(max_length=36, blank=True)
    claimed_at = models.DateTimeField(null=True)
    # The live request: at most one at a time, replaced only by the next attempt.
    entry = models.ForeignKey(LedgerEntry, models.PROTECT, null=True, related_name="+")

    queued = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    expired = models.PositiveIntegerField(default=0)
    undelivered = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    segments = models.PositiveIntegerField(default=0)  # of what the gateway took, by our own count
    # When getReport asks next about those whose report has not come; None: nothing is pending.
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        indexes = [
            models.Index(fields=["campaign", "id"], name="batch_campaign"),
            models.Index(
                fields=["campaign", "state", "id"],
                name="batch_open",
                condition=_IS_OPEN,
            ),
            models.Index(fields=["next_check_at"], name="batch_check", condition=models.Q(next_check_at__isnull=False)),
            models.Index(  # between which messages anything can be queued
                fields=["first_message_id", "last_message_id"],
                name="batch_unsettled",
                condition=~models.Q(state="settled"),
            ),
            models.Index(  # what waits for a moment, looked for each second
                fields=["not_before"],
                name="batch_waits",
                condition=models.Q(state="queued", not_before__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"

    def messages(self) -> "models.QuerySet[Message]":
        """Its messages, found by primary key."""
        return Message.objects.filter(pk__gte=self.first_message_id, pk__lte=self.last_message_id, batch_id=self.pk)


# Beside whichever state is asked for: there may be very many settled ones.
IS_OPEN_BATCH = WordForWord(_IS_OPEN)


class BatchAnswer(models.Model):
    """The ids that the gateway gave, committed with the batch; gone when each message's own row says its own."""

    batch = models.OneToOneField(Batch, models.CASCADE, primary_key=True, related_name="answer")
    settled_at = models.DateTimeField()
    accepted = models.TextField()  # JSON: [[message id …], [gateway id or null …], [segments …]]

    class Meta:
        verbose_name = _("answer to a batch")
        verbose_name_plural = _("answers to batches")

    def __str__(self) -> str:
        return f"answer to batch {self.pk}"


class Message(models.Model):
    State = MessageState

    # Both by ids that the inserting transaction has locked or made itself: to check a thousand takes PostgreSQL longer
    # than to insert them (docs/decisions/0015).
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="messages", db_index=False, db_constraint=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    # No constraint: a message outlives its contact, and a million checks are saved.
    contact = models.ForeignKey(
        Contact, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    number = models.CharField(_("number"), max_length=15)
    country = models.CharField(_("country"), max_length=2, blank=True)
    merge_values = models.JSONField(_("merge values"), null=True)  # frozen with the audience, if the text has fields
    state = models.PositiveSmallIntegerField(_("state"), choices=MessageState, default=MessageState.QUEUED)
    segments = models.PositiveSmallIntegerField(_("segments"), default=1)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)  # another one only by a person's word
    gateway_id = models.CharField(_("gateway id"), max_length=40, null=True)

    settled_at = models.DateTimeField(pgettext_lazy("moment", "answered"), null=True)
    reported_at = models.DateTimeField(_("reported"), null=True)  # as the gateway says
    report_source = models.CharField(_("report came by"), max_length=12, blank=True)
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    evidence = models.CharField(_("evidence"), max_length=200, blank=True)
    billed_segments = models.PositiveSmallIntegerField(_("billed segments"), null=True)
    pay_micros = models.BigIntegerField(_("cost"), null=True)  # millionths of the currency: exact sums everywhere
    currency = models.CharField(_("currency"), max_length=8, blank=True)
    network = models.PositiveIntegerField(_("network"), null=True)  # as a report named it: messaging/wire/networks.py

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        permissions = [("export_message", _("Can export messages and the recipients of campaigns"))]
        ordering = ["-id"]
        constraints = [
            # One person gets one message per campaign; in this order it also finds a number's messages.
            models.UniqueConstraint(fields=["number", "campaign"], name="message_once_per_campaign"),
        ]
        indexes = [
            models.Index(fields=["campaign", "state", "id"], name="message_list"),
            models.Index(fields=["gateway_id"], name="message_gateway_id"),
            models.Index(fields=["state", "id"], name="message_exceptions", condition=_IS_EXCEPTIONAL),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"


class EarlierAttempt(models.Model):
    """What was heard of a sending after a person had the message sent again: it may have arrived and been billed too.

    The message's own columns are its last attempt's.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="earlier_attempts")
    attempt = models.PositiveSmallIntegerField()
    gateway_id = models.CharField(max_length=40, blank=True, db_index=True)
    state = models.PositiveSmallIntegerField(choices=MessageState, default=MessageState.UNKNOWN)
    billed_segments = models.PositiveSmallIntegerField(null=True)
    pay_micros = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=8, blank=True)
    # Of the report that told the amount: its state, and whether it is Laaffic's own word (standing_amounts.py).
    told_with = models.PositiveSmallIntegerField(choices=MessageState, null=True)
    told_by_laaffic = models.BooleanField(default=False, db_default=False)
    # Its report took the message out while that waited to be sent again: the last sending never left.
    took_out = models.BooleanField(default=False, db_default=False)
    # When it was first heard of, which is where reports count what it cost; none in rows from before there were any.
    heard_at = models.DateTimeField(null=True, default=timezone.now)

    class Meta:
        verbose_name = _("earlier attempt")
        constraints = [models.UniqueConstraint(fields=["message", "attempt"], name="earlier_attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.attempt} of message {self.message_id}"


class MessageEvent(models.Model):
    """What is not said by the message's own columns: a late or conflicting report, a person's word."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("when"))
    source = models.CharField(_("source"), max_length=40)
    text = models.CharField(_("what"), max_length=300)

    class Meta:
        verbose_name = _("message event")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text


class OutcomeTally(models.Model):
    """How a campaign's messages stand, by country and reason, with what was billed."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="outcomes", db_index=False)
    country = models.CharField(max_length=2, blank=True)
    state = models.PositiveSmallIntegerField(choices=MessageState)
    reason = models.CharField(max_length=120, blank=True)
    currency = models.CharField(max_length=8, blank=True)
    messages = models.IntegerField(default=0)
    billed_segments = models.BigIntegerField(default=0)
    pay_micros = models.BigIntegerField(default=0)
    # How much of it is in the hours already (services/tallies/hour_tallies.py).
    folded_messages = models.IntegerField(default=0, db_default=0)
    folded_micros = models.BigIntegerField(default=0, db_default=0)
    # Its campaign's, once a fold has seen that reports named a price: by it prices are learned (services/reports).
    charged_channel = models.CharField(max_length=8, null=True)

    UNFOLDED = ~models.Q(messages=models.F("folded_messages"), pay_micros=models.F("folded_micros"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "country", "state", "reason", "currency"], name="outcome_tally_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="outcome_unfolded",
                condition=~models.Q(messages=models.F("folded_messages"), pay_micros=models.F("folded_micros")),
            ),
            models.Index(
                fields=["charged_channel", "country", "campaign"],
                name="outcome_charged",
                condition=models.Q(charged_channel__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.get_state_display()} {self.reason}"


class ActivityTally(models.Model):
    """What happened in a minute: how many were accepted, delivered … in it.

    An end that a better report takes back is taken off the minute in which that happens.
    """

    minute = models.DateTimeField()
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="activity", db_index=False)
    state = models.PositiveSmallIntegerField(choices=MessageState)
    messages = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["minute", "campaign", "state"], name="activity_tally_once"),
        ]
        indexes = [models.Index(fields=["campaign", "minute"], name="activity_campaign")]

    def __str__(self) -> str:
        return f"{self.minute:%H:%M} {self.get_state_display()}"

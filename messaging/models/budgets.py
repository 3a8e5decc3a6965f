"""How much an application's campaigns may send, or spend, in a day or a month; and what has gone of it."""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.kit.words.said import shaped
from messaging.models.messages import Batch


class Budget(models.Model):
    """One limit: of messages, or of money in one currency. An application may have several side by side."""

    class Per(models.TextChoices):
        DAY = "day", _("Day")
        MONTH = "month", _("Month")

    application = models.ForeignKey(
        Application, models.CASCADE, related_name="budgets", verbose_name=_("application"), db_index=False
    )
    per = models.CharField(_("for each"), max_length=5, choices=Per, default=Per.DAY)
    currency = models.CharField(
        _("currency"),
        max_length=8,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{3}\Z", _("Three capital letters, for example USD."))],
        help_text=_("Of the amount, for example USD. Empty: the limit is a number of messages."),
    )
    limit = models.DecimalField(
        _("limit"),
        max_digits=16,
        decimal_places=6,
        validators=[
            MinValueValidator(
                Decimal("0.000001"), _("A budget is above 0. To send nothing, pause the campaigns of the application.")
            )
        ],
    )
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        ordering = ["application", "per", "currency"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "per", "currency"],
                name="budget_once",
                violation_error_message=_("There is such a budget already: change that one."),
            )
        ]

    def __str__(self) -> str:
        return shaped(
            "%(application)s: %(limit)s %(unit)s (%(per)s)",
            application=self.application,
            limit=int(self.limit) if self.limit == self.limit.to_integral_value() else f"{self.limit.normalize():f}",
            unit=self.currency or _("messages"),
            per=self.Per(self.per).label,
        )

    def clean(self) -> None:
        if not self.currency and self.limit is not None and self.limit != int(self.limit):
            raise ValidationError({"limit": _("A number of messages is whole. For money name the currency, too.")})


class BudgetCounter(models.Model):
    """What has gone of a budget in one period: messages, or millionths of its currency.

    Its row is locked by the sender that claims messages for it, so that two senders never share the last of it.
    """

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="counters", db_index=False)
    starts_on = models.DateField()  # by the console's own clock
    used = models.BigIntegerField(default=0)
    warned_at = models.DateTimeField(null=True)
    used_up_at = models.DateTimeField(null=True)  # when somebody was held by it first
    # A person's word: no limit for what is left of this period.
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    lift_reason = models.CharField(max_length=200, blank=True)
    # The open share up to which the sweep has looked; 0: it begins again.
    followed_to = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["budget", "starts_on"], name="budget_counter_once")]

    def __str__(self) -> str:
        return f"{self.starts_on} of budget {self.budget_id}"


class BudgetShare(models.Model):
    """How much of a counter one batch has taken; corrected from the batch as it is released, answered and reported."""

    counter = models.ForeignKey(BudgetCounter, models.CASCADE, related_name="shares", db_index=False)
    # None: it is fixed for good. It was sent in an earlier period, or before a person had it sent again.
    batch = models.ForeignKey(Batch, models.SET_NULL, null=True, related_name="+")
    # Of a request that takes everybody at once: an email campaign, a group call.
    entry = models.ForeignKey(LedgerEntry, models.SET_NULL, null=True, related_name="+")
    used = models.BigIntegerField(default=0)
    before = models.BigIntegerField(default=0)  # what the batch had taken of earlier periods: not of this one
    prices = models.JSONField(default=dict)  # {country: micros}, as known at the claim; of a request {"": all of it}
    seen = models.CharField(max_length=120, blank=True)  # how the batch stood when it was last measured
    is_open = models.BooleanField(default=True)  # what it takes may still change
    measured_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["counter", "batch"], name="budget_share_once")]
        indexes = [
            models.Index(fields=["counter", "id"], name="budget_share_followed", condition=models.Q(is_open=True)),
            models.Index(
                fields=["counter", "measured_at"],
                name="budget_share_measured",
                condition=models.Q(batch__isnull=False, measured_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.used} of batch {self.batch_id}"

"""The Laaffic account itself: what stops it, and how much money was on it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models.applications import Application
from laaffic_console.gateway.models.ledger import LedgerEntry
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.figures import money
from laaffic_console.kit.words.said import SaidField


class AccountHold(models.Model):
    """Why nothing may leave for the account, or for one application of it, and since when.

    Placed by a refusal that any other request would meet too (−10 and the credential codes); ended by a probe
    that Laaffic accepts, or by a person.
    """

    application = models.ForeignKey(
        Application, models.CASCADE, null=True, related_name="+", verbose_name=_("application")
    )  # None: every application of the account
    scope = models.CharField(max_length=40)  # "account" or "application:3": at most one open hold each
    code = models.CharField(_("code"), max_length=16, blank=True)
    sentence = SaidField(_("why"))
    entry = models.ForeignKey(
        LedgerEntry, models.SET_NULL, null=True, related_name="+", verbose_name=_("refused request")
    )
    placed_at = models.DateTimeField(_("since"))
    probe_wait = models.PositiveIntegerField(_("seconds between probes"))
    next_probe_at = models.DateTimeField(_("next probe"), null=True)  # None: nothing can be asked; a person ends it
    # The funds with which a hold for lack of money ended last; refused again, more is needed to end it.
    funds = models.DecimalField(_("funds"), max_digits=20, decimal_places=6, null=True)
    last_answer = models.CharField(_("last probe"), max_length=300, blank=True)
    released_at = models.DateTimeField(_("ended"), null=True)
    released_because = models.CharField(_("ended because"), max_length=300, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("ended by")
    )

    class Meta:
        verbose_name = _("account hold")
        verbose_name_plural = _("account holds")
        ordering = ["-id"]
        permissions = [("release_accounthold", _("Can end a hold of the account"))]
        constraints = [
            models.UniqueConstraint(
                fields=["scope"], name="account_hold_once", condition=models.Q(released_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return in_text(self.sentence)


class BalanceReading(models.Model):
    """What getBalance said, every few minutes: decimal strings; the currency is on no vendor page."""

    at = models.DateTimeField(_("when"), db_index=True)
    balance = models.DecimalField(_("balance"), max_digits=20, decimal_places=6)
    gift = models.DecimalField(_("bonus"), max_digits=20, decimal_places=6, null=True)
    credit = models.DecimalField(_("credit line"), max_digits=20, decimal_places=6, null=True)
    currency = models.CharField(_("currency"), max_length=8, blank=True)

    class Meta:
        verbose_name = _("balance reading")
        verbose_name_plural = _("balance")
        ordering = ["-id"]

    def __str__(self) -> str:
        return money(self.balance, self.currency)

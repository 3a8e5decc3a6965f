"""Tokens, with which scripts act for a user, and the requests that may be repeated."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.words.visible_names import VisiblyNamed


class Scope(models.TextChoices):
    READ = "read", _("Read")
    SEND = "send", _("Send messages")
    CAMPAIGNS = "campaigns", _("Create, launch and control campaigns")
    CONTACTS = "contacts", _("Change contacts, groups, audiences, consent, the suppression list and conversations")
    VOICE = "voice", _("Call from SIP phones, and manage phones, audio files and group calls")
    NUMBERS = "numbers", _("Bind numbers, and change pools and owned numbers")
    APPROVE = "approve", _("Approve, settle what is unknown, lift budgets and end holds")
    SETTINGS = "settings", _("Set calendars, budgets, caps, prices and limits, and erase people")
    EXPORTS = "exports", _("Take lists and recipients away as files, and save reports")


def every_scope() -> list[str]:
    return list(Scope.values)


class ApiToken(VisiblyNamed):
    """A token. Its secret is kept nowhere: it is shown once, and the token is found by the secret's digest."""

    name = models.CharField(_("name"), max_length=80, help_text=_("What uses it, such as “web shop”."))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="+",
        verbose_name=_("acts for"),
        help_text=_("It may do what this user may do, and nothing beyond its scopes."),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256 of a secret of 256 bits
    scopes = models.JSONField(_("scopes"), default=every_scope)
    addresses = models.JSONField(_("addresses"), default=list, blank=True)  # networks; []: from anywhere
    per_minute = models.PositiveIntegerField(
        _("requests a minute"),
        default=6000,
        validators=[MinValueValidator(1)],
        help_text=_("More than that are refused until the minute is over."),
    )
    # The first token of this one's line of rotations: tokens of one line share the keys of repeated requests.
    first = models.ForeignKey("self", models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-id"]
        default_permissions = ("add", "change", "view")

    def __str__(self) -> str:
        return self.name

    @property
    def family(self) -> int:
        return self.first_id or self.pk

    @property
    def is_good(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class RepeatableRequest(models.Model):
    """A request with an Idempotency-Key: what it asks, and how it was answered.

    Numbers and texts are not kept here: a list of messages is read from the messages themselves.
    """

    family = models.BigIntegerField()  # id of the first token in the line of rotations
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)  # SHA-256 of method, path and body
    holder = models.CharField(max_length=32, blank=True)  # marks the request that runs; "" when it has been answered
    held_until = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)  # None without a holder: nobody knows what happened to it
    answer = models.TextField(blank=True)  # JSON text as it was answered: a JSON column would reorder its keys
    # What the request asked Laaffic about, written by the transaction that prepares that: if the process dies, whatever
    # takes over asks for nothing again (laws#unknown-stays).
    about = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["family", "key"], name="api_key_once")]

    def __str__(self) -> str:
        return f"request {self.pk}"

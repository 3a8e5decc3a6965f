"""AXB bindings: A and B talk through a middle number X and never see each other's number."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.registers.search_kinds import beginning_with
from laaffic_console.kit.words.said import shaped


class BindingKind(models.IntegerChoices):
    """bizType: AXB has one middle number; in AXXB each side sees one of its own."""

    AXB = 1, _("AXB: one middle number")
    AXXB = 2, _("AXXB: a middle number for each side")


class BindingQuerySet(models.QuerySet["Binding"]):
    def live(self) -> "BindingQuerySet":
        return self.filter(ended_at=None)

    def with_number(self, beginning: str) -> "BindingQuerySet":
        """Bindings with a number, of the four, that begins like this; as ranges that an index answers."""
        return self.filter(any_beginning_with(beginning))


def any_beginning_with(digits: str) -> models.Q:
    condition = models.Q()
    for column in ("phone_a", "phone_b", "pns_number_a", "pns_number_b"):
        condition |= beginning_with(column, digits)
    return condition


class Binding(models.Model):
    class Ending(models.TextChoices):
        UNBOUND = "unbound", _("Unbound here")
        EXPIRED = "expired", _("Expired")
        VANISHED = "vanished", _("Gone at Laaffic")  # before its end, and not through us

    application = models.ForeignKey(Application, models.PROTECT, related_name="+", verbose_name=_("application"))
    bind_id = models.CharField(_("bindId"), max_length=40)  # an integer at Laaffic, too long for a browser's numbers
    phone_a = models.CharField(_("A"), max_length=40)
    phone_b = models.CharField(_("B"), max_length=40)
    pns_number_a = models.CharField(_("A sees"), max_length=40)
    pns_number_b = models.CharField(_("B sees"), max_length=40)
    expires_at = models.DateTimeField(_("expires"), null=True)
    pool_number = models.CharField(_("pool"), max_length=20, blank=True)  # Laaffic's list does not name it

    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    ended_at = models.DateTimeField(_("gone since"), null=True)
    ending = models.CharField(_("ended as"), max_length=8, choices=Ending, blank=True)

    objects = BindingQuerySet.as_manager()

    class Meta:
        verbose_name = _("AXB binding")
        verbose_name_plural = _("AXB bindings")
        ordering = ["-id"]
        permissions = [
            ("unbind_binding", _("Can end AXB bindings at Laaffic")),
            ("export_binding", _("Can export AXB bindings")),
        ]
        # In this order the index also finds a bindId alone.
        constraints = [models.UniqueConstraint(fields=["bind_id", "application"], name="binding_once")]
        indexes = [
            models.Index(fields=["phone_a"], name="binding_phone_a"),
            models.Index(fields=["phone_b"], name="binding_phone_b"),
            models.Index(fields=["pns_number_a"], name="binding_pns_a"),
            models.Index(fields=["pns_number_b"], name="binding_pns_b"),
            models.Index(fields=["ended_at", "expires_at", "id"], name="binding_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.shown_pair} ({self.bind_id})"

    @property
    def shown_pair(self) -> str:
        """Both numbers, masked as the viewer may see them."""
        return f"{masked(self.phone_a)} – {masked(self.phone_b)}"

    @property
    def pair(self) -> str:
        return f"{self.phone_a} – {self.phone_b}"

    @property
    def is_live(self) -> bool:
        return self.ended_at is None

    @property
    def has_run_out(self) -> bool:
        """Whether its time has passed, even if the list has not been read since."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def kind(self) -> BindingKind:
        return BindingKind.AXB if self.pns_number_a == self.pns_number_b else BindingKind.AXXB


class BindingRequest(models.Model):
    """A request made here to bind or unbind. What happened to it is its ledger row's state."""

    class Verb(models.TextChoices):
        BIND = "bind", _("Bind")
        UNBIND = "unbind", _("Unbind")

    verb = models.CharField(_("verb"), max_length=6, choices=Verb)
    application = models.ForeignKey(Application, models.PROTECT, related_name="+", verbose_name=_("application"))
    phone_a = models.CharField(_("A"), max_length=40)
    phone_b = models.CharField(_("B"), max_length=40)
    pool_number = models.CharField(_("pool"), max_length=20, blank=True)
    kind = models.PositiveSmallIntegerField(_("kind"), choices=BindingKind, default=BindingKind.AXB)
    seconds = models.PositiveIntegerField(_("lasts, in seconds"), null=True)
    binding = models.ForeignKey(
        Binding, models.PROTECT, null=True, related_name="requests", verbose_name=_("binding")
    )  # the binding to be ended; or the one that was made, once known
    entry = models.OneToOneField(LedgerEntry, models.PROTECT, null=True, related_name="+", verbose_name=_("ledger row"))
    # The newest row of our copy before the request left: any later row is new, whatever the clocks say.
    newest_before = models.PositiveBigIntegerField(null=True, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked by")
    )
    requested_at = models.DateTimeField(_("asked"), default=timezone.now)

    class Meta:
        verbose_name = _("binding request")
        verbose_name_plural = _("binding requests")
        ordering = ["-id"]
        indexes = [models.Index(fields=["application", "requested_at"], name="binding_request_asked")]

    def __str__(self) -> str:
        verb = self.Verb(self.verb).label
        return shaped("%(verb)s %(a)s – %(b)s", verb=verb, a=masked(self.phone_a), b=masked(self.phone_b))

    @property
    def says(self) -> Any:
        """The outcome in a word or two; "" before there is a ledger row."""
        return self.entry.get_state_display() if self.entry else ""

"""Number pools: every version that was ever requested, and what Laaffic holds as far as we know."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import LedgerEntry
from phone_numbers.pool_config import PoolConfig


class NumberPool(models.Model):
    """`current` is ours: the last version that Laaffic accepted. `listed_…` is what Laaffic had at `listed_at`."""

    pool_number = models.CharField(_("pool number"), max_length=40)
    current = models.ForeignKey("PoolVersion", models.PROTECT, null=True, related_name="+", verbose_name=_("version"))
    listed_addresses = models.TextField(_("addresses at Laaffic"), blank=True)
    listed_concurrency = models.PositiveIntegerField(_("concurrency at Laaffic"), null=True)
    listed_numbers = models.JSONField(_("numbers at Laaffic"), default=list)
    listed_at = models.DateTimeField(_("compared"), null=True)
    drifted_at = models.DateTimeField(_("differs since"), null=True)
    gone_at = models.DateTimeField(_("gone since"), null=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("number pool")
        verbose_name_plural = _("number pools")
        ordering = ["pool_number", "id"]
        permissions = [
            ("apply_numberpool", _("Can apply a number pool at Laaffic")),
            ("export_numberpool", _("Can export number pools")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["pool_number"], condition=models.Q(gone_at=None), name="pool_number_once")
        ]

    def __str__(self) -> str:
        return self.pool_number

    @property
    def listed(self) -> PoolConfig | None:
        """What Laaffic holds; None if it holds nothing that we know of."""
        if self.listed_at is None or self.gone_at is not None or self.listed_concurrency is None:
            return None
        return PoolConfig.of(self.pool_number, self.listed_addresses, self.listed_concurrency, self.listed_numbers)


class PoolVersion(models.Model):
    class Origin(models.TextChoices):
        CREATED = "created", _("Created here")
        EDITED = "edited", _("Edited here")
        REAPPLIED = "reapplied", _("Applied again")
        FOUND = "found", _("Found at Laaffic")
        ADOPTED = "adopted", _("Laaffic’s change taken over")

    pool = models.ForeignKey(NumberPool, models.PROTECT, related_name="versions", verbose_name=_("pool"))
    number = models.PositiveIntegerField(_("version"))
    origin = models.CharField(_("origin"), max_length=9, choices=Origin)
    again = models.PositiveIntegerField(_("again version"), null=True)  # the version that was applied again
    pool_number = models.CharField(_("pool number"), max_length=40)
    old_pool_number = models.CharField(_("pool number before"), max_length=40, blank=True)
    addresses = models.TextField(_("addresses"))  # a pool found at Laaffic may have more than we would send
    max_concurrency = models.PositiveIntegerField(_("concurrent calls"))
    numbers = models.JSONField(_("numbers"), default=list)
    entry = models.OneToOneField(LedgerEntry, models.PROTECT, null=True, related_name="+", verbose_name=_("ledger row"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("pool version")
        verbose_name_plural = _("pool versions")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["pool", "number"], name="pool_version_once")]

    def __str__(self) -> str:
        return f"{self.pool_number} v{self.number}"

    @property
    def config(self) -> PoolConfig:
        return PoolConfig.of(self.pool_number, self.addresses, self.max_concurrency, self.numbers)

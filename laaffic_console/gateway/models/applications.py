"""Applications of the Laaffic account: one product each, by their appId."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models.channels import APPLICATION_CHANNELS, choices_of
from laaffic_console.kit.visible_names import VisiblyNamed


class Application(VisiblyNamed, models.Model):
    """An application of the Laaffic account. Each appId belongs to one product (laaffic-api#applications)."""

    app_id = models.CharField(
        _("appId"),
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]+\Z", _("An appId holds letters, digits, - and _ only."))],
        help_text=_("From Laaffic: Account Management, App Management. It is not the API key."),
    )
    channel = models.CharField(_("channel"), max_length=8, choices=choices_of(APPLICATION_CHANNELS))
    name = models.CharField(_("name"), max_length=80, blank=True)
    sender_id = models.CharField(
        _("default sender ID"), max_length=32, blank=True, help_text=_("At most 32 characters.")
    )
    rate_per_second = models.PositiveIntegerField(
        _("rate limit"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Recipients a second over all campaigns of this application; empty means no limit."),
    )
    connections = models.PositiveSmallIntegerField(
        _("connections"),
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(32)],
        help_text=_("Requests that may be under way at the same time for one campaign."),
    )
    several_texts_per_call = models.BooleanField(
        _("several texts in one request"),
        default=True,
        help_text=_("Personalised campaigns use sendSms/batch. Off: each distinct text costs a request of its own."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    # When the vendor's records last held something that this console cannot have sent.
    others_seen_at = models.DateTimeField(_("another system seen"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ["channel", "name", "app_id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.app_id})" if self.name else self.app_id

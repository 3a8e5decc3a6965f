"""What Laaffic says a message costs, where somebody has told us: its price list, imported."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models.channels import CAMPAIGN_CHANNELS, Channel, choices_of
from laaffic_console.kit.words import countries
from laaffic_console.kit.words.said import shaped

COUNTRY = re.compile("[A-Z]{2}")


class ListPrice(models.Model):
    """The price of one segment, or of one message where a channel counts none, to one country."""

    channel = models.CharField(_("channel"), max_length=8, choices=choices_of(CAMPAIGN_CHANNELS), default=Channel.SMS)
    country = models.CharField(
        _("country"),
        max_length=2,
        validators=[RegexValidator(r"^[A-Z]{2}\Z", _("Two capital letters, for example IN."))],
        help_text=_("ISO 3166, two letters, for example IN."),
    )
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=6, validators=[MinValueValidator(0)])
    currency = models.CharField(
        _("currency"),
        max_length=8,
        validators=[RegexValidator(r"^[A-Z]{3}\Z", _("Three capital letters, for example USD."))],
    )
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("list price")
        verbose_name_plural = _("price list")
        ordering = ["channel", "country"]
        constraints = [models.UniqueConstraint(fields=["channel", "country"], name="list_price_once")]

    def __str__(self) -> str:
        price = f"{self.country}: {self.price.normalize():f} {self.currency}"
        return shaped("%(channel)s %(price)s", channel=Channel(self.channel).label, price=price)

    def clean(self) -> None:
        """A price of “UK” would be on the list and never count."""
        super().clean()
        if COUNTRY.fullmatch(self.country):  # otherwise its field has said so
            try:
                self.country = countries.read(self.country)
            except ValidationError as problem:
                raise ValidationError({"country": problem.message}) from problem

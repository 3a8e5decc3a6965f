"""The numbers that the account owns, with their due dates (number/queryPage, laaffic-api#owned-numbers)."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OwnedNumber(models.Model):
    class State(models.IntegerChoices):
        IN_USE = 3, _("In use")
        EXPIRED = 4, _("Expired")
        STOPPED = 5, _("Stopped")

    number = models.CharField(_("number"), max_length=20, unique=True)
    calling_code = models.CharField(_("calling code"), max_length=8, blank=True)
    country = models.CharField(_("country"), max_length=80, blank=True)
    number_type = models.CharField(_("type"), max_length=20, blank=True)  # MOBILE, FIXED
    state = models.SmallIntegerField(_("state"), choices=State, null=True)  # null: not a documented state
    due_date = models.DateField(_("due"), null=True)
    auto_renew = models.BooleanField(_("renews itself"), null=True)
    inbound_prefix = models.CharField(_("inbound prefix"), max_length=32, blank=True)
    in_addresses = models.CharField(_("inbound addresses"), max_length=100, blank=True)
    out_addresses = models.CharField(_("outbound addresses"), max_length=100, blank=True)
    app_id = models.CharField(_("appId"), max_length=64, blank=True)
    voicemail = models.BooleanField(_("voicemail"), null=True)
    voicemail_file = models.CharField(_("voicemail announcement"), max_length=100, blank=True)  # its file name
    # Laaffic's id of that file, which differs between files of the same name.
    voicemail_file_id = models.CharField(max_length=100, blank=True, default="", db_default="", editable=False)
    voicemail_seconds = models.PositiveIntegerField(_("voicemail, seconds at most"), null=True)
    remark = models.CharField(_("remark"), max_length=200, blank=True)
    # Texts that Laaffic has not told, by column, with commas: empty here, whatever they are there.
    untold = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    gone_at = models.DateTimeField(_("gone since"), null=True)

    class Meta:
        verbose_name = _("owned number")
        verbose_name_plural = _("owned numbers")
        permissions = [
            ("export_ownednumber", _("Can export owned numbers")),
            ("edit_ownednumber", _("Can edit owned numbers at Laaffic")),
        ]
        ordering = ["due_date", "number"]
        indexes = [models.Index(fields=["due_date", "number"], name="owned_due")]

    def __str__(self) -> str:
        return self.number

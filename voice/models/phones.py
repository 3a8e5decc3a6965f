"""SIP phones, as Laaffic lists them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.models.list_copies import ListCopy


class SipPhone(models.Model):
    """A phone that calls can start from, as Laaffic lists it (laaffic-api#sipquery). Its password is never kept."""

    application = models.ForeignKey(
        Application, models.CASCADE, related_name="sip_phones", verbose_name=_("application")
    )
    account = models.CharField(_("account"), max_length=64)
    group_name = models.CharField(_("group"), max_length=80, blank=True)
    name = models.CharField(_("name"), max_length=80, blank=True)
    display_number = models.CharField(_("display number"), max_length=20, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"))
    gone_at = models.DateTimeField(pgettext_lazy("moment", "gone"), null=True)  # not in the last complete list

    class Meta:
        verbose_name = _("SIP phone")
        verbose_name_plural = _("SIP phones")
        permissions = [("provision_sipphone", _("Can add SIP phones and reset their passwords at Laaffic"))]
        ordering = ["application", "group_name", "account"]
        constraints = [models.UniqueConstraint(fields=["application", "account"], name="sip_account_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.account})" if self.name else self.account


class VoiceSync(ListCopy):
    """When our copy of one of Laaffic's voice lists was last read: "phones 4luaKsL2", "sip records" …"""

    read_until = models.DateTimeField(_("read until"), null=True)  # for lists that are read by time
    read_at = models.DateTimeField(null=True)  # when it was read until then

    class Meta:
        verbose_name = _("voice synchronisation")
        verbose_name_plural = _("voice synchronisations")

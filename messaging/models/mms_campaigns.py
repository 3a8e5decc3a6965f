"""MMS campaigns, for pages of their own."""

from django.utils.translation import gettext_lazy as _

from messaging.models.campaigns import Campaign


class MmsCampaign(Campaign):
    """A campaign on the MMS channel, composed on a form of its own; everything else is a campaign's."""

    class Meta:
        proxy = True
        default_permissions = ()  # a campaign's count
        verbose_name = _("MMS campaign")
        verbose_name_plural = _("MMS campaigns")

"""Spoken messages, for pages of their own."""

from django.utils.translation import gettext_lazy as _

from messaging.models import Campaign


class SpokenCampaign(Campaign):
    """A campaign on the voice channel: a text spoken to each number. Everything but its form is a campaign's."""

    class Meta:
        proxy = True
        default_permissions = ()  # a campaign's count
        verbose_name = _("spoken message")
        verbose_name_plural = _("spoken messages")

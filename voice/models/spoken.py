"""Spoken messages, a model for pages of their own."""

from django.utils.translation import gettext_lazy as _

from messaging.models import Campaign


class SpokenCampaign(Campaign):
    """A campaign on the voice channel: a text spoken to each number. Only its form differs from other campaigns."""

    class Meta:
        proxy = True
        default_permissions = ()  # the rights of campaigns apply
        verbose_name = _("spoken message")
        verbose_name_plural = _("spoken messages")

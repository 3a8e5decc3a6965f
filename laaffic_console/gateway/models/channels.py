"""What messages and calls go out on; and which of these an application, a campaign or an entry may name."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    SMS = "sms", _("SMS")
    MMS = "mms", _("MMS")
    VOICE = "voice", _("Voice")
    EMAIL = "email", _("Email")
    NUMBER = "number", _("Numbers")
    ALL = "all", _("Every channel")


# Laaffic's products. MMS have none of their own: an application for SMS carries them.
APPLICATION_CHANNELS = (Channel.SMS, Channel.VOICE, Channel.EMAIL, Channel.NUMBER)
# What messages to contacts are sent on; email goes to lists that are kept at Laaffic.
CAMPAIGN_CHANNELS = (Channel.SMS, Channel.MMS, Channel.VOICE)
# What a number can be suppressed for.
SUPPRESSION_CHANNELS = (Channel.SMS, Channel.EMAIL, Channel.MMS, Channel.VOICE, Channel.ALL)


def choices_of(channels: Iterable[Channel]) -> list[tuple[str, Any]]:
    """The channels as choices of a field or a form."""
    return [(channel.value, channel.label) for channel in channels]

"""What can happen, under the names that leave the console: they are a contract, so none is ever renamed."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    MESSAGE_DELIVERED = "message.delivered", _("A message was delivered")
    MESSAGE_FAILED = "message.failed", _("A message was rejected or not delivered")
    MESSAGE_EXPIRED = "message.expired", _("No final report of a message came in time")
    MESSAGE_UNKNOWN_SETTLED = "message.unknown_settled", _("An unknown message was settled")
    REPLY_RECEIVED = "reply.received", _("Somebody has replied")
    CONTACT_OPTED_OUT = "contact.opted_out", _("Somebody gets no more messages")
    CONTACT_OPTED_IN = "contact.opted_in", _("Somebody may get messages again")
    CAMPAIGN_STATE = "campaign.state", _("A campaign has moved to another state")
    IMPORT_FINISHED = "import.finished", _("An import of contacts has ended")
    BALANCE_LOW = "balance.low", _("The balance has fallen under its limit")
    APPROVAL_ASKED = "approval.asked", _("An approval is asked for")
    APPROVAL_GIVEN = "approval.given", _("An approval was given")
    APPROVAL_REFUSED = "approval.refused", _("An approval was refused")
    APPROVAL_VOIDED = "approval.voided", _("An approval is void: what was approved has changed")
    APPROVAL_WITHDRAWN = "approval.withdrawn", _("A request for approval was withdrawn")
    BUDGET_WARNED = "budget.warned", _("A budget is nearly used up")
    BUDGET_USED_UP = "budget.used_up", _("A budget is used up")
    CAMPAIGN_DRIFT = "campaign.drift", _("A campaign costs more or less than expected")
    WEBHOOK_DISABLED = "webhook.disabled", _("A webhook was disabled")
    WEBHOOK_TEST = "webhook.test", _("A test")


# What a webhook can ask for; a test goes to whichever is tested.
CHOICES = [(kind.value, kind.label) for kind in Kind if kind is not Kind.WEBHOOK_TEST]

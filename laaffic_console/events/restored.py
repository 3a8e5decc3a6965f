"""After a restore: a webhook of the backup may have been deleted since, and what it is told names people."""

from laaffic_console.events.models import Webhook
from laaffic_console.events.services import webhooks


def pause_all() -> dict[str, int]:
    """Nothing leaves before a person has looked at each. How many were active."""
    active = Webhook.objects.filter(state=Webhook.State.ACTIVE).order_by("pk")
    return {"webhooks": sum(webhooks.pause(webhook) for webhook in active)}

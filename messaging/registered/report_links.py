"""What lies behind the figures of reports: the pages of campaigns, and the lists of what was sent."""

from laaffic_console.reports import links
from laaffic_console.reports.links import Behind
from messaging.models import Campaign, EmailCampaign

STATES = ("delivered", "undelivered", "rejected", "expired", "unknown")
MESSAGES = {**{state: {"in": state} for state in STATES}, "awaited": {"in": "accepted"}}


def register_all() -> None:
    links.register(
        "campaign",
        Behind(
            Campaign,
            page="admin:messaging_campaign_change",
            right="messaging.view_campaign",
            recipients="admin:messaging_message_changelist",
            recipients_right="messaging.view_message",
            states=MESSAGES,
        ),
    )
    links.register(
        "email campaign",
        Behind(EmailCampaign, "admin:messaging_emailcampaign_change", "messaging.view_emailcampaign"),
    )

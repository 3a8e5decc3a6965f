"""What the queue calls for email: each finds its work in our own tables, so a second call changes nothing."""

from messaging.services.email import callbacks as email_callbacks
from messaging.services.email import deliveries as email_deliveries
from messaging.services.email import sending as email_sending
from messaging.services.email import starting as email_starting


def send_email_campaign(campaign_id: int) -> None:
    email_sending.send(campaign_id)


def send_email_at_its_moment(campaign_id: int) -> None:
    email_sending.send_at_its_moment(campaign_id)


def start_launched_email(campaign_id: int) -> None:
    email_starting.start_launched(campaign_id)


def apply_email_reports() -> bool:
    return email_callbacks.INBOX.apply_waiting()


def pull_email_deliveries() -> None:
    email_deliveries.pull_due()

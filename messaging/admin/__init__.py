from messaging.admin import (
    approvals,
    attachments,
    campaigns,
    contacts,
    email_campaigns,
    emails,
    imports,
    messages,
    mms_campaigns,
    prices,
    replies,
    suppression,
)

__all__ = [
    "approvals",
    "attachments",
    "campaigns",
    "contacts",
    "email_campaigns",
    "emails",
    "imports",
    "messages",
    "mms_campaigns",
    "prices",
    "replies",
    "suppression",
]

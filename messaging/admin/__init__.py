from messaging.admin import (
    attachments,
    campaigns,
    contacts,
    email_campaigns,
    emails,
    imports,
    messages,
    mms_campaigns,
    replies,
    suppression,
)

__all__ = [
    "attachments",
    "campaigns",
    "contacts",
    "email_campaigns",
    "emails",
    "imports",
    "messages",
    "mms_campaigns",
    "replies",
    "suppression",
]

from messaging.admin.audience import audiences
from messaging.admin.campaigns import campaigns, messages
from messaging.admin.contacts import contact_groups, contacts, imports, suppression
from messaging.admin.conversations import conversations, replies
from messaging.admin.email import email_campaigns, emails
from messaging.admin.mms import attachments, mms_campaigns
from messaging.admin.rules import approval_limits, approvals, budgets, calendars, frequency, prices

__all__ = [
    "approval_limits",
    "approvals",
    "attachments",
    "audiences",
    "budgets",
    "calendars",
    "campaigns",
    "contact_groups",
    "contacts",
    "conversations",
    "email_campaigns",
    "emails",
    "frequency",
    "imports",
    "messages",
    "mms_campaigns",
    "prices",
    "replies",
    "suppression",
]

"""Every page of messaging: a module registers its pages when it is loaded."""

# ruff: noqa: F401
import messaging.admin.audience.audiences
import messaging.admin.campaigns.campaigns
import messaging.admin.campaigns.messages
import messaging.admin.contacts.consents
import messaging.admin.contacts.contact_groups
import messaging.admin.contacts.contacts
import messaging.admin.contacts.imports
import messaging.admin.contacts.suppression
import messaging.admin.conversations.conversations
import messaging.admin.conversations.replies
import messaging.admin.email.email_campaigns
import messaging.admin.email.emails
import messaging.admin.mms.attachments
import messaging.admin.mms.mms_campaigns
import messaging.admin.rules.approval_limits
import messaging.admin.rules.approvals
import messaging.admin.rules.budgets
import messaging.admin.rules.calendars
import messaging.admin.rules.frequency
import messaging.admin.rules.prices

from messaging.admin import attachments, campaigns, contacts, imports, messages, mms_campaigns, suppression

__all__ = ["attachments", "campaigns", "contacts", "imports", "messages", "mms_campaigns", "suppression"]

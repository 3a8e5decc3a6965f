from messaging.admin import attachments, campaigns, contacts, imports, messages, mms_campaigns

__all__ = ["attachments", "campaigns", "contacts", "imports", "messages", "mms_campaigns"]

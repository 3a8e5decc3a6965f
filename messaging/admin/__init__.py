from messaging.admin import campaigns, contacts, imports, messages

__all__ = ["campaigns", "contacts", "imports", "messages"]

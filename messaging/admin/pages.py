from laaffic_console.kit.pages import blame, may_see_contacts, page, require

__all__ = ["blame", "may_see_contacts", "page", "require"]

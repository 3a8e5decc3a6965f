from laaffic_console.dashboard.pages import blame, may_see_contacts, page, require

__all__ = ["blame", "may_see_contacts", "page", "require"]

"""What pages of other apps take from here too."""

from laaffic_console.kit.pages import add_problems, may_see_contacts, page, require

__all__ = ["add_problems", "may_see_contacts", "page", "require"]

from laaffic_console.dashboard.pages import blame, page, require

__all__ = ["blame", "page", "require"]

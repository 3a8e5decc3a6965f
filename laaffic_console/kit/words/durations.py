"""How long something takes, in words."""

from django.utils.translation import gettext as _


def in_words(seconds: float | None) -> str:
    """Two units at most: "40 s", "12 min", "2 h 5 min"; "" where it cannot be known."""
    if seconds is None:
        return ""
    whole = max(1, round(seconds))
    if whole < 90:
        return _("%(n)d s") % {"n": whole}
    if whole < 5400:
        return _("%(n)d min") % {"n": round(whole / 60)}
    return _("%(h)d h %(min)d min") % {"h": whole // 3600, "min": whole % 3600 // 60}

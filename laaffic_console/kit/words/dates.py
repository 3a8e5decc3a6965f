"""Dates and moments as the reader's language writes them, by the console's clock. Files and scripts get ISO 8601."""

import datetime as dt

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

MINUTE, HOUR, DAY = 60, 3600, 86400
NEAR = 30 * DAY  # farther away a date says more than a number of days


def read(text: str) -> dt.datetime | None:
    """The moment that `isoformat` wrote into an address or a form, with its zone and to the microsecond."""
    try:
        found = parse_datetime(text)
        if found is None or timezone.is_naive(found):
            return None
        found.astimezone(dt.UTC)  # at the ends of the calendar there is none, and a database asks for it
    except (ValueError, OverflowError):
        return None
    return found


def day(at: dt.date) -> str:
    """3 Apr 2027."""
    return str(date_format(timezone.localtime(at) if isinstance(at, dt.datetime) else at, "DATE_FORMAT"))


def month(at: dt.date) -> str:
    """Apr 2027."""
    return str(date_format(at, "YEAR_MONTH_FORMAT"))


def moment(at: dt.datetime) -> str:
    """3 Apr 2027, 09:30."""
    return str(date_format(timezone.localtime(at), "DATETIME_FORMAT"))


def planned(at: dt.datetime) -> str:
    """3 Apr 2027, 09:30 (Europe/Berlin): when something is to happen, for readers with another clock."""
    return f"{moment(at)} ({timezone.get_current_timezone_name()})"


def wall(at: dt.datetime) -> str:
    """3 Apr 2027, 09:30, of a moment without a zone: by each reader's own clock."""
    return str(date_format(at, "DATETIME_FORMAT"))


def exact(at: dt.datetime) -> str:
    """3 Apr 2027, 09:30:12."""
    return str(date_format(timezone.localtime(at), "EXACT_DATETIME_FORMAT"))


def hour(at: dt.datetime) -> str:
    """3 Apr 09:30, for the axis of a chart."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'MONTH_DAY_FORMAT')} {date_format(local, 'TIME_FORMAT')}"


def ago(at: dt.datetime | None) -> SafeString | str:
    """3 min ago, and the exact time on hover; console.js keeps it fresh with the same words."""
    if at is None:
        return ""
    seconds = (timezone.now() - at).total_seconds()
    said = _distance(abs(seconds), is_past=seconds >= 0) if abs(seconds) < NEAR else day(at)
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', at.isoformat(), exact(at), said)


def ago_words() -> dict[str, str]:
    """How distances in time are worded, for console.js: past and future of each unit."""
    return {
        "now": _("just now"),
        "min": _("%(n)d min ago"),
        "h": _("%(n)d h ago"),
        "d": _("%(n)d d ago"),
        "in min": _("in %(n)d min"),
        "in h": _("in %(n)d h"),
        "in d": _("in %(n)d d"),
    }


def _distance(seconds: float, *, is_past: bool) -> str:
    if seconds < MINUTE:
        return ago_words()["now"]
    unit, size = ("min", MINUTE) if seconds < HOUR else ("h", HOUR) if seconds < DAY else ("d", DAY)
    return ago_words()[unit if is_past else f"in {unit}"] % {"n": seconds // size}

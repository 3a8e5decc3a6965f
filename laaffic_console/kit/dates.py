"""Dates and moments as the reader's language writes them, by the console's clock. Files and scripts get ISO 8601."""

import datetime as dt

from django.utils import timezone
from django.utils.formats import date_format


def day(at: dt.date) -> str:
    """3 Apr 2027."""
    return str(date_format(timezone.localtime(at) if isinstance(at, dt.datetime) else at, "DATE_FORMAT"))


def moment(at: dt.datetime) -> str:
    """3 Apr 2027, 09:30."""
    return str(date_format(timezone.localtime(at), "DATETIME_FORMAT"))


def exact(at: dt.datetime) -> str:
    """3 Apr 2027, 09:30:12."""
    return str(date_format(timezone.localtime(at), "EXACT_DATETIME_FORMAT"))


def hour(at: dt.datetime) -> str:
    """3 Apr 09:30, for the axis of a chart."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'MONTH_DAY_FORMAT')} {date_format(local, 'TIME_FORMAT')}"

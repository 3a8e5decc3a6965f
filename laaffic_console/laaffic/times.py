"""The vendor's ways of writing a moment (wire §4), read into aware datetimes."""

import datetime as dt
from zoneinfo import ZoneInfo

DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")


def from_epoch(value: object) -> dt.datetime | None:
    """Seconds or milliseconds since 1970, as a number or digits; None for anything else."""
    try:
        number = float(str(value).strip())
        seconds = number / 1000 if abs(number) > 1e11 else number
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_text(value: object, zone: ZoneInfo = DEFAULT_ZONE) -> dt.datetime | None:
    """ISO 8601, a `+` that became a space included, or `yyyy-MM-dd HH:mm:ss` in the vendor's zone."""
    text = str(value).strip() if value is not None else ""
    if not text:
        return None
    if text.isdigit():
        return from_epoch(text)
    if len(text) > 19 and text[-6] == " ":
        text = f"{text[:-6]}+{text[-5:]}"
    try:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def for_query(moment: dt.datetime, zone: ZoneInfo = DEFAULT_ZONE) -> str:
    """`2021-02-12T00:00:00+08:00`, as the query interfaces want it."""
    return moment.astimezone(zone).isoformat(timespec="seconds")

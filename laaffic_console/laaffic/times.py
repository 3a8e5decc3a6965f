"""The vendor's ways of writing a moment (laaffic-api#times), read into aware datetimes."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")


FIRST_YEAR, LAST_YEAR = 1900, 2199  # another is not a moment but a word: 9999-12-31 for "never", 0001-01-01 for "none"
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
AHEAD = dt.timedelta(days=2)  # further than any clock is wrong or any zone is off
# A number since 1970 is microseconds from the first on, milliseconds from the second on, and seconds below.
MICROSECONDS, MILLISECONDS = 1e14, 1e11
SHORTEST_MILLISECONDS, LONGEST_MILLISECONDS = 10**12, 10**13 - 1  # 13 digits: 2001 to 2286
_COMPACT, _NUMBER = re.compile(r"20\d{12}"), re.compile(r"\d+(\.\d*)?")


def of_event(moment: dt.datetime | None) -> dt.datetime | None:
    """When something happened, if it can have: None for a time before 2000 or in the future."""
    return moment if moment and EARLIEST <= moment <= dt.datetime.now(dt.UTC) + AHEAD else None


def from_epoch(value: object) -> dt.datetime | None:
    """Seconds (or milliseconds and smaller) since 1970, as a number or digits; None for anything else."""
    try:
        number = float(str(value).strip())
        unit = 1e6 if abs(number) >= MICROSECONDS else 1e3 if abs(number) >= MILLISECONDS else 1
        return _sensible(dt.datetime.fromtimestamp(number / unit, dt.UTC))
    except (ValueError, OverflowError, OSError):
        return None


def from_text(value: object, zone: ZoneInfo = DEFAULT_ZONE) -> dt.datetime | None:
    """ISO 8601, a `+` that became a space included, `yyyy-MM-dd HH:mm:ss` in the vendor's zone, `yyyyMMddHHmmss`, or
    a number since 1970."""
    if type(value) is int and SHORTEST_MILLISECONDS <= value <= LONGEST_MILLISECONDS:  # as nearly all pushes say it
        return _sensible(dt.datetime.fromtimestamp(value / 1e3, dt.UTC))
    text = str(value).strip() if value is not None else ""
    if not text:
        return None
    if _COMPACT.fullmatch(text):
        text = f"{text[:8]}T{text[8:]}"
    elif _NUMBER.fullmatch(text):
        return from_epoch(text)
    if len(text) > 19 and text[-6] == " ":
        text = f"{text[:-6]}+{text[-5:]}"
    try:
        moment = dt.datetime.fromisoformat(text)
        return _sensible((moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC))
    except (ValueError, OverflowError):
        return None


def _sensible(moment: dt.datetime) -> dt.datetime | None:
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def for_query(moment: dt.datetime, zone: ZoneInfo = DEFAULT_ZONE) -> str:
    """`2021-02-12T00:00:00+08:00`, as the query interfaces expect it."""
    return moment.astimezone(zone).isoformat(timespec="seconds")

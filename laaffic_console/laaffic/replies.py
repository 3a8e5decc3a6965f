"""What people answer: replies asked for and replies pushed (laaffic-api#replies)."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from laaffic_console.laaffic import pages, times
from laaffic_console.laaffic.codes import Family
from laaffic_console.laaffic.errors import InvalidRequest
from laaffic_console.laaffic.interfaces import Interfaces, check_app_id
from laaffic_console.laaffic.pages import LARGEST_PAGE, MalformedRecord, Page
from laaffic_console.laaffic.pushes import entries_of
from laaffic_console.laaffic.reports import count, currency, money, text

OLDEST = dt.datetime(2022, 7, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
LONGEST_WINDOW = dt.timedelta(days=31)
SAFE_WINDOW = dt.timedelta(days=28)  # no month is shorter


@dataclass(frozen=True, slots=True)
class Reply:
    """One message from a person to us. A pulled reply has no id: `msg_id` is "" there."""

    msg_id: str
    number: str  # whose it is
    sender_id: str  # what it was sent to
    content: str
    at: dt.datetime | None  # aware, UTC
    mcc: str
    mnc: str
    operator: str
    price: Decimal | None  # of one segment
    pay: Decimal | None
    currency: str
    segments: int | None


@dataclass(frozen=True, slots=True)
class ParsedReplies:
    replies: list[Reply]
    problems: list[str]  # entries that are not replies, in words; they never cost the others


class RepliesApi(Interfaces):
    family = Family.SMS

    def query(
        self, *, app_id: str, start: dt.datetime, end: dt.datetime, current: int = 1, size: int = LARGEST_PAGE
    ) -> Page[Reply]:
        """POST /recordMo: one page of at most 100 of a window of at most a month, from 2022-07-01 on."""
        check_app_id(app_id)
        if start >= end or end - start > LONGEST_WINDOW:
            raise InvalidRequest("endTime", "a window lasts at most one month and ends after it starts")
        if start < OLDEST:
            raise InvalidRequest("strTime", f"replies are kept from {OLDEST.date()} on")
        params = {"strTime": times.for_query(start, self._zone), "endTime": times.for_query(end, self._zone)}
        body = {"appId": app_id, **pages.request(current, size, params)}
        return pages.read_page(self._post("/recordMo", body), current, "recordMo", self._read)

    def iter_pages(self, *, app_id: str, start: dt.datetime, end: dt.datetime) -> Iterator[Page[Reply]]:
        """Every page of one window; `reply_windows` cuts a longer period into windows."""
        return pages.every_page(
            lambda current: self.query(app_id=app_id, start=start, end=end, current=current),
            "recordMo",
            name_of=None,  # a pulled reply has no id, and two people may write the same in the same second
        )

    def _read(self, row: dict[str, Any]) -> Reply:
        return read_reply(row, self._zone)


def reply_windows(start: dt.datetime, end: dt.datetime) -> list[tuple[dt.datetime, dt.datetime]]:
    """A period cut to what recordMo allows: nothing before 2022-07-01, windows that no month is shorter than."""
    cursor, windows = max(start, OLDEST), []
    while cursor < end:
        stop = min(cursor + SAFE_WINDOW, end)
        windows.append((cursor, stop))
        cursor = stop
    return windows


def parse_sms_replies(body: object, zone: ZoneInfo = times.DEFAULT_ZONE) -> ParsedReplies:
    """A pushed reply: one object, a list, or `{"array": […]}`; `zone` is of its times without one."""
    entries = entries_of(body)
    return ParsedReplies(*pages.read_rows(entries, lambda row: read_reply(row, zone)))


def read_reply(row: dict[str, Any], zone: ZoneInfo) -> Reply:
    """Pulled (`number sendId receiveTime`) and pushed (`mobile sendid reply_time`, `mcn` for mnc) alike."""
    known = {str(key).strip().lower(): value for key, value in row.items()}
    number = text(known.get("mobile", known.get("number"))).lstrip("+")
    if not number or "content" not in known:
        raise MalformedRecord("a reply without number or content")
    detail = known.get("pricedetail")
    price = {str(key).strip(): value for key, value in detail.items()} if isinstance(detail, dict) else {}
    return Reply(
        msg_id=text(known.get("msgid")),
        number=number,
        sender_id=text(known.get("sendid")),
        content=text(known["content"]),
        at=times.of_event(times.from_text(text(known.get("reply_time", known.get("receivetime"))), zone)),
        mcc=text(known.get("mcc")),
        mnc=text(known.get("mnc", known.get("mcn"))),
        operator=text(known.get("operator")),
        price=money(price.get("price")),
        pay=money(price.get("pay")),
        currency=currency(price.get("currency"), price.get("pay")),
        segments=count(price.get("chargeCnt")),
    )

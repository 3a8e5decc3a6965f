"""The Laaffic API in Python: one method an interface."""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from laaffic_console.laaffic import pages, sms, times
from laaffic_console.laaffic.codes import Family
from laaffic_console.laaffic.delivery_states import Source
from laaffic_console.laaffic.email import EmailApi
from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.errors import InvalidRequest, OutcomeUnknown
from laaffic_console.laaffic.group_calls import GroupCallApi
from laaffic_console.laaffic.interfaces import as_json, check_app_id
from laaffic_console.laaffic.mms import MmsApi
from laaffic_console.laaffic.numbers import NumbersApi
from laaffic_console.laaffic.replies import RepliesApi
from laaffic_console.laaffic.reports import (
    HIGHEST_BALANCE,
    DeliveryReport,
    MalformedReport,
    count,
    from_record,
    money,
    text,
)
from laaffic_console.laaffic.sms import ReportPage, SendResult, SmsItem
from laaffic_console.laaffic.transport import DEFAULT_BASE_URL, DEFAULT_TIMEOUTS, Transport
from laaffic_console.laaffic.voice import VoiceApi

LONGEST_WINDOW = dt.timedelta(days=sms.MAX_RECORD_DAYS)


@dataclass(frozen=True, slots=True)
class Balance:
    """laaffic-api#getbalance: decimal strings of varying scale; the currency is on no vendor page."""

    balance: Decimal
    gift: Decimal | None
    credit: Decimal | None
    currency: str = ""


class LaafficClient:
    """Safe for several threads at once.

    Every method raises NotSent, Refused or OutcomeUnknown, and InvalidRequest where a limit is broken before any call.
    After OutcomeUnknown a read may be called again; a send must not be.
    """

    def __init__(
        self,
        *,
        api_key: str,
        api_secret: str,
        base_url: str = DEFAULT_BASE_URL,
        paths: Mapping[str, str] | None = None,
        time_zone: str = "Asia/Shanghai",
        number_info_list: bool = False,
        timeouts: tuple[float, float] = DEFAULT_TIMEOUTS,
        pool_size: int = 10,
        clock: Callable[[], float] = time.time,
        transport: Transport | None = None,
    ) -> None:
        self._zone = ZoneInfo(time_zone)
        self._transport = transport or Transport(
            api_key=api_key,
            api_secret=api_secret,
            base_url=base_url,
            paths=paths,
            timeouts=timeouts,
            pool_size=pool_size,
            clock=clock,
        )
        # A family of interfaces has a module and an object of its own; SMS and the account are the client's.
        self.email = EmailApi(self._transport, self._zone)
        self.mms = MmsApi(self._transport, self._zone)
        self.numbers = NumbersApi(self._transport, self._zone)
        self.replies = RepliesApi(self._transport, self._zone)
        self.voice = VoiceApi(self._transport, self._zone)
        self.group_calls = GroupCallApi(self._transport, self._zone, number_info_list=number_info_list)

    def __repr__(self) -> str:
        return f"LaafficClient({self._transport!r})"

    @property
    def clock_skew(self) -> float:
        """Seconds that the gateway's clock was found ahead of ours; 0 as long as it never complained."""
        return self._transport.clock_skew

    @property
    def observed_skew(self) -> float | None:
        """Seconds by which the latest answer's Date was ahead of our clock, to a second or so; None before any."""
        return self._transport.observed_skew

    def send_sms(
        self, *, app_id: str, numbers: Sequence[str], content: str, order_ids: Sequence[str], sender_id: str = ""
    ) -> SendResult:
        """POST /sendSms: one content to at most 1,000 numbers."""
        body = sms.request_fields(
            app_id=app_id,
            numbers=numbers,
            content=content,
            sender_id=sender_id,
            order_ids=order_ids,
            at_most=sms.MAX_NUMBERS_POST,
        )
        envelope = self._transport.post(Family.SMS, "/sendSms", as_json(body))
        return sms.read_send_answer(envelope, numbers, order_ids)

    def send_sms_get(
        self, *, app_id: str, numbers: Sequence[str], content: str, order_ids: Sequence[str], sender_id: str = ""
    ) -> SendResult:
        """GET /sendSms: at most 100 numbers. Numbers and contents end in access logs on the way: prefer POST."""
        params = sms.request_fields(
            app_id=app_id,
            numbers=numbers,
            content=content,
            sender_id=sender_id,
            order_ids=order_ids,
            at_most=sms.MAX_NUMBERS_GET,
        )
        return sms.read_send_answer(self._transport.get(Family.SMS, "/sendSms", params), numbers, order_ids)

    def send_sms_batch(self, *, app_id: str, items: Sequence[SmsItem]) -> SendResult:
        """POST /sendSms/batch: several contents; positions count through the items' numbers in order."""
        body = sms.batch_body(app_id, items)
        envelope = self._transport.post(Family.SMS, "/sendSms/batch", as_json(body))
        numbers = [number for item in items for number in item.numbers]
        orders = [order for item in items for order in item.order_ids]
        return sms.read_send_answer(envelope, numbers, orders)

    def get_report(self, *, app_id: str, msg_ids: Sequence[str]) -> ReportPage:
        """GET /getReport: at most 200 ids. An id that is absent is not yet known, never failed."""
        check_app_id(app_id)
        if not 0 < len(msg_ids) <= sms.MAX_REPORT_IDS:
            raise InvalidRequest("msgIds", f"{len(msg_ids)} ids; a call asks for 1 to {sms.MAX_REPORT_IDS}")
        envelope = self._transport.get(Family.SMS, "/getReport", {"appId": app_id, "msgIds": ",".join(msg_ids)})
        reports, problems = _records(envelope, Source.GET_REPORT, self._zone)
        counted = [count(envelope.body.get(name)) for name in ("success", "fail", "sending", "nofound")]
        return ReportPage(reports, problems, *counted)

    def get_sent_records(
        self, *, app_id: str, start: dt.datetime, end: dt.datetime, start_index: int = 0
    ) -> list[DeliveryReport]:
        """GET /getSentRcd: at most 50,000 finished messages of a window of at most 31 days."""
        return _records(self._ask_sent(app_id, start, end, start_index), Source.GET_SENT_RCD, self._zone)[0]

    def sent_record_pages(
        self,
        *,
        app_id: str,
        start: dt.datetime,
        end: dt.datetime,
        before_each: Callable[[], object] = lambda: None,
    ) -> Iterator[pages.Page[DeliveryReport]]:
        """All pages of a window, each as large as the gateway likes, up to its total or to an empty one.

        IncompleteList after the last where not all can have come: then nobody knows what the records do not have.
        `before_each` request is called; what it raises ends the reading.
        """

        def ask(start_index: int) -> pages.Page[DeliveryReport]:
            before_each()
            envelope = self._ask_sent(app_id, start, end, start_index)
            if not sms.holds_rows(envelope):
                raise OutcomeUnknown("the answer holds no records", interface="getSentRcd")
            return pages.Page(
                *_records(envelope, Source.GET_SENT_RCD, self._zone), sms.total_of(envelope), None, start_index
            )

        return pages.every_slice(ask, "getSentRcd", name_of=pages.itself)

    def _ask_sent(self, app_id: str, start: dt.datetime, end: dt.datetime, start_index: int) -> Envelope:
        check_app_id(app_id)
        if start >= end or end - start > dt.timedelta(days=sms.MAX_RECORD_DAYS):
            raise InvalidRequest(
                "endTime", f"a window lasts at most {sms.MAX_RECORD_DAYS} days and ends after it starts"
            )
        params = {
            "appId": app_id,
            "startTime": times.for_query(start, self._zone),
            "endTime": times.for_query(end, self._zone),
            "startIndex": str(start_index),
        }
        return self._transport.get(Family.SMS, "/getSentRcd", params, is_long=True)

    def get_balance(self) -> Balance:
        """GET /getBalance: the cheapest check of the credentials."""
        body = self._transport.get(Family.ACCOUNT, "/getBalance", {}).body
        data = body.get("data")
        holder = data if isinstance(data, dict) and "balance" in data else body
        balance, gift, credit = (
            money(holder.get(name), below=HIGHEST_BALANCE) for name in ("balance", "gift", "credit")
        )
        if balance is None:
            raise OutcomeUnknown("the answer holds no balance", interface="getBalance")
        return Balance(balance, gift, credit, text(holder.get("currency")))


def _records(envelope: Envelope, source: Source, zone: ZoneInfo) -> tuple[list[DeliveryReport], list[str]]:
    reports, problems = [], []
    for row in sms.rows_of(envelope):
        try:
            reports.append(from_record(row, source, zone))
        except MalformedReport as problem:
            problems.append(str(problem))
    return reports, problems


def oldest_sent_record(now: dt.datetime) -> dt.datetime:
    """The moment before which getSentRcd has no records."""
    return now - dt.timedelta(days=sms.RECORDS_KEPT_DAYS) + dt.timedelta(minutes=1)


def sent_record_windows(
    start: dt.datetime, end: dt.datetime, now: dt.datetime, longest: dt.timedelta = LONGEST_WINDOW
) -> list[tuple[dt.datetime, dt.datetime]]:
    """A period cut to what getSentRcd allows: not before 90 days ago, windows of at most 31 days."""
    cursor, end = max(start, oldest_sent_record(now)), min(end, now)
    windows = []
    while cursor < end:
        stop = min(cursor + min(longest, LONGEST_WINDOW), end)
        windows.append((cursor, stop))
        cursor = stop
    return windows

"""The SMS family: requests within their limits, both shapes of the answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.errors import InvalidRequest
from laaffic_console.laaffic.interfaces import check_app_id
from laaffic_console.laaffic.reports import DeliveryReport, count, text

MAX_NUMBERS_POST = 1000
MAX_NUMBERS_GET = 100
MAX_CONTENT = 1024  # Unicode code points
MAX_SENDER_ID = 32
MAX_REPORT_IDS = 200
MAX_RECORD_DAYS = 31
RECORDS_KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class SmsItem:
    """One content of a call that carries several."""

    numbers: Sequence[str]
    content: str
    order_ids: Sequence[str]
    sender_id: str = ""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What happened to each number, by its position in the request.

    `msg_ids[i]` is the id of number i. None means that it was left out of the answer: rejected, unless i is among
    `unknown_positions`, whose numbers were submitted under ids that cannot be told apart.
    """

    msg_ids: list[str | None]
    unknown_positions: list[int]
    success: int | None
    fail: int | None

    def reordered(self, msg_ids: list[str | None], unknown_positions: list[int]) -> "SendResult":
        return replace(self, msg_ids=msg_ids, unknown_positions=sorted(unknown_positions))


@dataclass(frozen=True, slots=True)
class ReportPage:
    reports: list[DeliveryReport]
    problems: list[str]
    success: int | None
    fail: int | None
    sending: int | None
    not_found: int | None  # includes messages that are still in the queue: never a failure


def request_fields(
    *, app_id: str, numbers: Sequence[str], content: str, sender_id: str, order_ids: Sequence[str], at_most: int
) -> dict[str, str]:
    """The body of sendSms, in the documented order of its keys."""
    check_app_id(app_id)
    return {"appId": app_id, **_content_fields(numbers, content, sender_id, order_ids, at_most)}


def batch_body(app_id: str, items: Sequence[SmsItem]) -> dict[str, Any]:
    check_app_id(app_id)
    total = sum(len(item.numbers) for item in items)
    if not items or total > MAX_NUMBERS_POST:
        raise InvalidRequest("numbers", f"{total} numbers; a call carries 1 to {MAX_NUMBERS_POST}")
    return {
        "appId": app_id,
        "array": [
            _content_fields(item.numbers, item.content, item.sender_id, item.order_ids, MAX_NUMBERS_POST)
            for item in items
        ],
    }


def _content_fields(
    numbers: Sequence[str], content: str, sender_id: str, order_ids: Sequence[str], at_most: int
) -> dict[str, str]:
    if not 0 < len(numbers) <= at_most:
        raise InvalidRequest("numbers", f"{len(numbers)} numbers; this call carries 1 to {at_most}")
    if len(order_ids) != len(numbers):
        raise InvalidRequest("orderId", f"{len(order_ids)} order ids for {len(numbers)} numbers; they must be as many")
    if not content.strip():
        raise InvalidRequest("content", "the content is empty")
    if len(content) > MAX_CONTENT:
        raise InvalidRequest("content", f"{len(content)} characters; at most {MAX_CONTENT}")
    if len(sender_id) > MAX_SENDER_ID:
        raise InvalidRequest("senderId", f"{len(sender_id)} characters; at most {MAX_SENDER_ID}")
    joined, orders = ",".join(numbers), ",".join(order_ids)
    if joined.count(",") != len(numbers) - 1 or not joined.replace(",", "").isdecimal() or not joined.isascii():
        raise InvalidRequest("numbers", "a number is its country code and digits, without + or spaces")
    lengths = set(map(len, numbers))
    if min(lengths) < 7 or max(lengths) > 15:
        raise InvalidRequest("numbers", "a number has 7 to 15 digits")
    if orders.count(",") != len(order_ids) - 1:
        raise InvalidRequest("orderId", "an order id holds no comma")
    return {"numbers": joined, "content": content, "senderId": sender_id, "orderId": orders}


def read_send_answer(envelope: Envelope, numbers: Sequence[str], order_ids: Sequence[str]) -> SendResult:
    """Match the ids of an answer to the numbers: by orderId, else by number, else by position (laaffic-api#sendsms)."""
    return _told_apart(_matched(envelope, numbers, order_ids))


def _told_apart(result: SendResult) -> SendResult:
    """The result without the ids that several numbers got: whose report arrives under one, nothing can say."""
    times = Counter(result.msg_ids)
    del times[None]
    if len(times) == times.total():
        return result
    shared = {index for index, msg_id in enumerate(result.msg_ids) if msg_id is not None and times[msg_id] > 1}
    ids = [None if index in shared else msg_id for index, msg_id in enumerate(result.msg_ids)]
    return result.reordered(ids, [*shared, *result.unknown_positions])


def _matched(envelope: Envelope, numbers: Sequence[str], order_ids: Sequence[str]) -> SendResult:
    body = envelope.body
    success, fail = count(body.get("success")), count(body.get("fail"))
    array, msg_ids = body.get("array"), body.get("msgIds")
    everybody = list(range(len(numbers)))
    if isinstance(array, list) and (array or success == 0 or not msg_ids):
        if ids := _in_order(array, order_ids):
            return SendResult(ids, [], success, fail)
        if array or success == 0 or fail == len(numbers):
            return _as_counted(*_by_entry(array, numbers, order_ids), success, fail)
        return SendResult([None] * len(numbers), everybody, success, fail)
    if isinstance(msg_ids, list) and len(msg_ids) == len(numbers):
        ids = [str(msg_id).strip() if msg_id else None for msg_id in msg_ids]
        return _as_counted(ids, [], success, fail)
    if success == 0:
        return SendResult([None] * len(numbers), [], success, fail)
    # Accepted, and nothing says which id is whose: no number may be called rejected.
    return SendResult([None] * len(numbers), everybody, success, fail)


def _as_counted(
    msg_ids: list[str | None], unknown_positions: list[int], success: int | None, fail: int | None
) -> SendResult:
    """The result. If more were accepted than have an id, or fewer failed than lack one, none counts as rejected."""
    without = [position for position, msg_id in enumerate(msg_ids) if msg_id is None]
    more_were_accepted = success is not None and success > len(msg_ids) - len(without)
    if without and (more_were_accepted or (fail is not None and fail < len(without))):
        unknown_positions = without
    return SendResult(msg_ids, unknown_positions, success, fail)


def _in_order(array: list[Any], order_ids: Sequence[str]) -> list[str | None] | None:
    """The usual answer, every number in the order of the request, read without a search; None for any other."""
    if "" in order_ids:
        return None  # where no order was given, its echo proves nothing
    try:
        if list(map(itemgetter("orderId"), array)) != list(order_ids):
            return None
        ids = list(map(itemgetter("msgId"), array))
    except (KeyError, TypeError):
        return None
    if set(map(type, ids)) != {str} or "" in ids or list(map(str.strip, ids)) != ids:
        return None
    return ids


def _by_entry(array: list[Any], numbers: Sequence[str], order_ids: Sequence[str]) -> tuple[list[str | None], list[int]]:
    msg_ids: list[str | None] = [None] * len(numbers)
    by_order = {order: position for position, order in enumerate(order_ids) if order}
    by_number: dict[str, list[int]] = {}
    for index, number in enumerate(numbers):
        by_number.setdefault(number, []).append(index)
    strays = 0
    for index, entry in enumerate(array):
        fields = entry.items() if isinstance(entry, dict) else []
        known = {str(key).strip().lower(): text(value) for key, value in fields}
        if not (msg_id := known.get("msgid")):
            continue
        order, number = known.get("orderid", ""), known.get("number", "").lstrip("+")
        candidates = [by_order[order]] if order in by_order else []
        candidates += by_number.get(number, [])
        if not order and not number and len(array) == len(numbers):
            candidates.append(index)
        position = next((candidate for candidate in candidates if msg_ids[candidate] is None), None)
        if position is not None:
            msg_ids[position] = msg_id
        elif msg_id not in msg_ids:
            strays += 1
    # An id that is nobody's belongs to someone who has none: no number may be called rejected.
    return msg_ids, [position for position, msg_id in enumerate(msg_ids) if msg_id is None] if strays else []


def rows_of(envelope: Envelope) -> list[Any]:
    """`array`, or `data.records` (laaffic-api#ambiguities 4)."""
    return _found(envelope) or []


def holds_rows(envelope: Envelope) -> bool:
    """Whether an answer says what there is, if only that there is nothing: one without rows and counts says nothing."""
    if _found(envelope) is not None or total_of(envelope) == 0:
        return True
    return [count(envelope.body.get(name)) for name in ("success", "fail")] == [0, 0]


def total_of(envelope: Envelope) -> int | None:
    """How many rows there are on all pages, where the answer says so (the vendor's own shape never does)."""
    body = envelope.body
    data = body.get("data")
    return count(data.get("total") if isinstance(data, dict) else body.get("total"))


def _found(envelope: Envelope) -> list[Any] | None:
    body = envelope.body
    data = body.get("data")
    inside = data.get("records", data.get("array")) if isinstance(data, dict) else data
    return next((list(found) for found in (body.get("array"), inside) if isinstance(found, list)), None)

"""The SMS interfaces as the gateway handles them."""

import datetime as dt
from typing import Any

from laaffic_console.sandbox.families import FamilyOfInterfaces, Route
from laaffic_console.sandbox.parameters import integer, is_id, moment, text
from laaffic_console.sandbox.protocol import Refusal, check_application, success
from laaffic_console.sandbox.store import ZONE, Accepted, price_detail

SENDING = "-1"


class SmsInterfaces(FamilyOfInterfaces):
    def routes(self) -> list[Route]:
        return [
            Route("POST", "/sendSms", lambda given, now: self.send(given, now, 1000), acts=True),
            Route("GET", "/sendSms", lambda given, now: self.send(given, now, 100), acts=True),
            Route("POST", "/sendSms/batch", self.send_batch, acts=True),
            Route("GET", "/getReport", self.get_report),
            Route("GET", "/getSentRcd", self.get_sent_records),
            Route("GET", "/getBalance", self.get_balance),
        ]

    def send(self, given: dict[str, Any], now: float, limit: int) -> dict[str, Any]:
        check_application(text(given, "appId"), "sms", self.options)
        parts = [self._checked(given, limit)]
        return self._accept(text(given, "appId"), parts, now)

    def send_batch(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        app_id = text(given, "appId")
        check_application(app_id, "sms", self.options)
        array = given.get("array")
        if not isinstance(array, list) or not array or not all(isinstance(part, dict) for part in array):
            raise Refusal("-22", "array is empty")
        parts = [self._checked({"numbers": part.get("number", ""), **part}, 1000) for part in array]
        if sum(len(part[0]) for part in parts) > 1000:
            raise Refusal("-7")
        return self._accept(app_id, parts, now)

    def _checked(self, given: dict[str, Any], limit: int) -> tuple[list[str], str, str, list[str]]:
        numbers = text(given, "numbers").split(",") if text(given, "numbers") else []
        content, sender_id, orders = text(given, "content"), text(given, "senderId"), text(given, "orderId")
        if not content:
            raise Refusal("-4")
        if len(content) > 1024:
            raise Refusal("-5")
        if not numbers:
            raise Refusal("-8")
        if len(numbers) > limit:
            raise Refusal("-7")
        if len(sender_id) > 32:
            raise Refusal("-22", "senderId is too long")
        order_ids = orders.split(",") if orders else [""] * len(numbers)
        if len(order_ids) != len(numbers):
            raise Refusal("-22", "orderId does not match numbers")
        if not self.options.leave_out_abnormal and any(self._is_abnormal(number) for number in numbers):
            raise Refusal("-9")
        return numbers, content, sender_id, order_ids

    def _is_abnormal(self, number: str) -> bool:
        return not (number.isdecimal() and 7 <= len(number) <= 15) or number in self.faults.abnormal

    def _accept(self, app_id: str, parts: list[tuple[list[str], str, str, list[str]]], now: float) -> dict[str, Any]:
        if not self.store.has_funds([(numbers, content) for numbers, content, _, _ in parts]):
            raise Refusal("-10")
        made: list[Accepted] = []
        asked = 0
        leave_out = set(self.faults.leave_out)
        for numbers, content, sender_id, order_ids in parts:
            asked += len(numbers)
            if leave_out or self.options.leave_out_abnormal:
                kept = [i for i, n in enumerate(numbers) if n not in leave_out and not self._is_abnormal(n)]
                numbers, order_ids = [numbers[i] for i in kept], [order_ids[i] for i in kept]
            made += self.store.accept(app_id, numbers, content, sender_id, order_ids, now)
        return self._send_answer(made, asked)

    def _send_answer(self, made: list[Accepted], asked: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if self.options.dialect != "seed":
            fields["success"], fields["fail"] = str(len(made)), str(asked - len(made))
            fields["array"] = [{"msgId": m.msg_id, "number": m.number, "orderId": m.order_id} for m in made]
        if self.options.dialect != "vendor":
            fields["msgIds"] = [m.msg_id for m in made]
        return success(self.options, **fields)

    def get_report(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        app_id = text(given, "appId")
        check_application(app_id, "sms", self.options)
        ids = [msg_id for msg_id in text(given, "msgIds").split(",") if msg_id]
        if not ids or len(ids) > 200 or not all(map(is_id, ids)):
            raise Refusal("-14")
        counts = {"success": 0, "fail": 0, "sending": 0, "nofound": 0}
        rows = []
        for msg_id in ids:
            accepted = self.store.by_id.get(msg_id)
            if accepted is not None and accepted.submission.app_id != app_id:
                accepted = None
            state = "queued" if accepted is None else self.store.state(accepted, now)
            counter, status = {
                "queued": ("nofound", ""),
                "sending": ("sending", SENDING),
                "delivered": ("success", "0"),
                "failed": ("fail", "1"),
            }[state]
            counts[counter] += 1
            if accepted is not None and status:
                rows.append(self._record(accepted, status))
        return success(self.options, **{name: str(n) for name, n in counts.items()}, array=rows)

    def get_sent_records(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        app_id = text(given, "appId")
        check_application(app_id, "sms", self.options)
        start, end = moment(given, "startTime"), moment(given, "endTime")
        if end < start or end - start > 31 * 86400 or start < now - 90 * 86400:
            raise Refusal("-25")
        index = integer(given, "startIndex", 0, 1_000_000_000, 0)
        finished = [
            accepted
            for accepted in self._recorded_between(start, end + 1)
            if accepted.submission.app_id == app_id
            and (self.options.records_of_pending or now >= self.store.due_at(accepted))
        ]
        page = finished[index : index + self.options.record_page]
        rows = [self._record(accepted, self._record_status(accepted, now)) for accepted in page]
        if self.options.dialect == "seed":
            return success(self.options, data={"total": len(finished), "records": rows})
        delivered = sum(row["status"] == "0" for row in rows)
        return success(self.options, success=str(delivered), fail=str(len(rows) - delivered), array=rows)

    def _record_status(self, accepted: Accepted, now: float) -> str:
        if now < self.store.due_at(accepted):
            return SENDING
        return "0" if self.store.fate(accepted).delivered else self.options.failed_record

    def _recorded_between(self, start: float, end: float) -> list[Accepted]:
        """By the time that its row tells."""
        if self.options.record_time == "sent":
            return self.store.accepted_between(start, end)
        return [accepted for accepted in self.store.messages if start <= self.store.due_at(accepted) < end]

    def _record(self, accepted: Accepted, status: str) -> dict[str, Any]:
        is_sent = self.options.record_time == "sent" or status == SENDING
        moment = accepted.submission.accepted_at if is_sent else self.store.due_at(accepted)
        told = dt.datetime.fromtimestamp(moment, ZONE)
        row: dict[str, Any] = {
            "msgId": accepted.msg_id,
            "number": accepted.number,
            "receiveTime": told.isoformat(timespec="seconds"),
            "status": status,
        }
        if self.options.record_prices:
            row["pricedetail"] = price_detail(accepted)
        return row

    def get_balance(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        # A balance that can run out has no bonus, which would pay for more.
        gift = "50.00000" if self.options.balance is None else "0.00000"
        return success(self.options, balance=f"{self.store.balance():.6f}", gift=gift, credit="0")

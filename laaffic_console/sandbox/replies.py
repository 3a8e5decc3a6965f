"""Replies of people: some come by themselves, some because a door was called (laaffic-api#replies)."""

import datetime as dt
import hashlib
import time
from dataclasses import dataclass
from typing import Any

from laaffic_console.sandbox.families import Door, FamilyOfInterfaces, Gateway, Route
from laaffic_console.sandbox.fates import country_of
from laaffic_console.sandbox.parameters import moment, months_before, page_of, text
from laaffic_console.sandbox.protocol import Refusal, check_application, success
from laaffic_console.sandbox.store import ZONE, Accepted

FIRST_KEPT = dt.datetime(2022, 7, 1, tzinfo=ZONE).timestamp()


@dataclass(slots=True)
class Answered:
    msg_id: str
    app_id: str  # "": every application sees it
    number: str
    sender_id: str
    content: str
    at: float

    def price(self) -> dict[str, Any]:
        return {"pay": "0.0000", "chargeCnt": 1, "currency": country_of(self.number).currency, "price": "0.0000"}

    def as_record(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "sendId": self.sender_id,
            "receiveTime": dt.datetime.fromtimestamp(self.at, ZONE).isoformat(timespec="seconds"),
            "content": self.content,
            "mcc": int(country_of(self.number).mcc),
            "mnc": 1,
            "operator": "Sandbox Mobile",
            "pricedetail": self.price(),
        }

    def as_push(self, misspelt: bool) -> dict[str, Any]:
        return {
            "msgid": self.msg_id,
            "mobile": self.number,
            "reply_time": dt.datetime.fromtimestamp(self.at, ZONE).strftime("%Y-%m-%d %H:%M:%S"),
            "content": self.content,
            "sendid": self.sender_id,
            "mcc": int(country_of(self.number).mcc),
            "mcn" if misspelt else "mnc": 1,
            "operator": "Sandbox Mobile",
            "pricedetail": self.price(),
        }


class ReplyInterfaces(FamilyOfInterfaces):
    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.forget()
        self.store.listeners.append(self.consider)

    def forget(self) -> None:
        self.replies: list[Answered] = []

    def routes(self) -> list[Route]:
        return [Route("POST", "/recordMo", self.query)]

    def doors(self) -> list[tuple[str, str, Door]]:
        return [("POST", "/replies", self._door_reply)]

    def consider(self, accepted: list[Accepted]) -> None:
        """Answer some messages: seed and number decide who answers, and what."""
        if not self.options.reply_rate:
            return
        for message in accepted:
            digest = hashlib.blake2b(f"{self.options.seed}:reply:{message.number}".encode(), digest_size=4).digest()
            luck = int.from_bytes(digest[:2]) / 65536
            if luck < self.options.reply_rate and self.store.fate(message).delivered:
                words = self.options.reply_words
                content = words[int.from_bytes(digest[2:]) % len(words)]
                sent = message.submission
                at = self.store.due_at(message) + self.options.reply_delay
                self._reply(Answered(f"r{message.msg_id}", sent.app_id, message.number, sent.sender_id, content, at))

    def _reply(self, reply: Answered) -> None:
        self.replies.append(reply)
        if self.options.reply_callback:
            body: Any = reply.as_push(self.options.misspelt_mnc)
            if self.options.push_mode != "single":
                body = [body] if self.options.push_mode == "array" else {"array": [body]}
            due = reply.at - self.options.clock_offset + self.options.push_delay
            self.gateway.courier.post_at(due, "replies", self.options.reply_callback, body)

    def _door_reply(self, given: dict[str, Any]) -> dict[str, Any]:
        """Let somebody answer now."""
        number, content, sender_id = (given.get(name, "") for name in ("number", "content", "sender_id"))
        if not isinstance(number, str) or not (number.isascii() and number.isdecimal()):
            raise ValueError("number is digits, as a text")
        if not isinstance(content, str) or not isinstance(sender_id, str):
            raise ValueError("content and sender_id are texts")
        now = time.time() + self.options.clock_offset
        reply = Answered(f"r{int(now * 1e6)}", "", number, sender_id, content, now)
        self._reply(reply)
        return reply.as_push(self.options.misspelt_mnc)

    def query(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        app_id = text(given, "appId")
        check_application(app_id, "sms mms", self.options)
        params = given.get("params")
        if not isinstance(params, dict):
            raise Refusal("-22", "params is empty")
        start, end = moment(params, "strTime"), moment(params, "endTime")
        if not FIRST_KEPT <= start <= now or end < start or end > months_before(start, -1):
            raise Refusal("-25")
        rows = [
            reply.as_record()
            for reply in sorted(self.replies, key=lambda reply: reply.at)
            if start <= reply.at <= end and reply.at <= now and reply.app_id in ("", app_id)
        ]
        return success(self.options, data=page_of(rows, given))

    def received(self, now: float) -> dict[str, list[dict[str, Any]]]:
        shown = [reply for reply in self.replies if reply.at <= now][-100:]
        rows = [{"from": "+" + reply.number, "to": reply.sender_id, "says": reply.content} for reply in shown]
        return {"Replies": rows[::-1]}

"""The two envelopes of an answer, `status`/`reason` and `code`/`msg` (laaffic-api#answers), read as one."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from laaffic_console.laaffic.codes import SUCCESS
from laaffic_console.laaffic.reports import code


@dataclass(frozen=True, slots=True)
class Envelope:
    status: str  # "0" is success, whether it came as text or as a number
    reason: str
    body: dict[str, Any]  # keys without spaces around them, in `data` too

    @property
    def is_success(self) -> bool:
        return self.status == SUCCESS

    def is_laaffics(self, http_status: int) -> bool:
        """Whether Laaffic wrote it. Under an HTTP error a proxy may have: `{"code":429}`, `{"status":404,"error":…}`.

        Laaffic's own codes are 0 and negative; one document has a positive one, with its `reason` (laaffic-api#codes).
        """
        if http_status < 400 or self.is_success or re.fullmatch(r"-\d+", self.status):
            return True
        return "reason" in self.body and self.status.isdecimal() and self.status != str(http_status)


def readable(raw: bytes) -> str:
    """The text, with letters that are not UTF-8 replaced: codes, ids and numbers count beside a name in GBK."""
    return raw.decode("utf-8-sig", errors="replace")


def load(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except UnicodeDecodeError:
        return json.loads(readable(raw))


def is_object(raw: bytes) -> bool:
    """Whether it is a JSON object at all, no matter who wrote it."""
    try:
        return isinstance(load(raw), dict)
    except (ValueError, RecursionError):
        return False


def parse(raw: bytes) -> Envelope | None:
    """None for what is not an answer of the gateway's: not JSON, half of it, not an object, or without a status."""
    try:
        body = load(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    body = _stripped(body)
    if isinstance(data := body.get("data"), dict):
        body["data"] = _stripped(data)
    status, reason = _first(body, "status", "code"), _first(body, "reason", "msg")
    if not isinstance(status, str | int | float) or isinstance(status, bool):
        return None
    if isinstance(status, float) and not (math.isfinite(status) and status.is_integer()):
        return None
    return Envelope(code(status), "" if reason is None else str(reason).strip(), body)


def _stripped(told: dict[str, Any]) -> dict[str, Any]:
    return {key.strip(): value for key, value in told.items()}


def _first(body: dict[str, Any], *names: str) -> Any:
    """The first of them that says something: an envelope can have the other's keys with null in them."""
    return next((value for name in names if (value := body.get(name)) is not None), None)

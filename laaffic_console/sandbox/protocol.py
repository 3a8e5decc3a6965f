"""Who may call, in the vendor's order of checks (laaffic-api#signature), and the form of answers."""

import hashlib
from collections.abc import Mapping
from typing import Any

from laaffic_console.sandbox.options import Options

REASONS = {
    "-1": "Authentication error",
    "-2": "IP access is restricted",
    "-3": "Sensitive characters in the content",
    "-4": "SMS content is empty",
    "-5": "SMS content is too long",
    "-6": "Not a template",
    "-7": "The number of phone numbers exceeds the limit",
    "-8": "Phone number is empty",
    "-9": "Abnormal phone number",
    "-10": "Insufficient balance",
    "-11": "Incorrect time format",
    "-12": "Platform submission failed, please contact the administrator",
    "-13": "User locked",
    "-14": "Field is empty or the query id is abnormal",
    "-15": "Query too frequently",
    "-16": "Timestamp expires",
    "-18": "Port program unusual",
    "-19": "Please contact the business manager to bind the channel",
    "-22": "Parameter exception",
    "-25": "Out of time range",
    "-27": "Total sending limit in the period",
    "-28": "Sending limit of one phone in the period",
    "-29": "Workspace disabled",
    "-30": "API key disabled",
    "-32": "The key has no permission for this application",
}


class Refusal(Exception):
    def __init__(self, status: str, reason: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.reason = reason  # "": the usual reason


def check_signature(headers: Mapping[str, str], options: Options, now: float, expired: str = "-16") -> None:
    key, stamp, sign = headers.get("Api-Key"), headers.get("Timestamp"), headers.get("Sign")
    if not key or not stamp or not sign or key != options.api_key:
        raise Refusal("-1")
    wanted = hashlib.md5((key + options.api_secret + stamp).encode("utf-8")).hexdigest()  # noqa: S324 - the vendor's
    if sign.lower() != wanted:
        raise Refusal("-1")
    if not (stamp.isascii() and stamp.isdecimal()) or abs(now - int(stamp)) > options.tolerance:
        raise Refusal(expired)


def check_application(app_id: str, products: str, options: Options) -> None:
    """Refuse an application of the wrong product; `products`: those that may call this, separated by spaces."""
    if not app_id or len(app_id) > 32:
        raise Refusal("-22", "appId is empty or too long")
    if options.applications and options.applications.get(app_id, "") not in products.split():
        raise Refusal("1", "Invalid appId") if options.seed_errors else Refusal("-32")


def success(options: Options, **fields: Any) -> dict[str, Any]:
    return {"status": 0 if options.numeric_status else "0", "reason": "success", **fields}


def failure(
    refusal: Refusal, options: Options, reasons: Mapping[str, str] = REASONS, *, in_code: bool = False
) -> dict[str, Any]:
    status: str | int = int(refusal.status) if options.numeric_status else refusal.status
    reason = refusal.reason or reasons.get(refusal.status, "Failure")
    return {"code": status, "msg": reason, "data": None} if in_code else {"status": status, "reason": reason}

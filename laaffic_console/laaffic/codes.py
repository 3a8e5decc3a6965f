"""The vendor's code tables as data (wire §3). This module alone says what a refusal calls for.

The same number means different things in different families (wire §0.3), so everything is keyed by (family, code).
"""

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    SMS = "sms"
    VOICE = "voice"
    NUMBER = "number"
    EMAIL = "email"
    ACCOUNT = "account"


class Remedy(StrEnum):
    RETRY = "retry"  # later, more and more seldom
    RESIGN = "resign"  # once, with the clock corrected
    HOLD_ACCOUNT = "hold the account"
    SPLIT = "split"  # find what is wrong by halves
    FIX_CONTENT = "fix the content"
    UNCERTAIN = "uncertain"  # on a send the outcome is unknown; a read is asked again
    FATAL = "fatal for this request"


@dataclass(frozen=True, slots=True)
class CodeEntry:
    code: str
    meaning: str
    remedy: Remedy
    advice: str  # one sentence: what an operator does next
    says_duplicate: bool = False  # after a request whose answer was lost: evidence that it arrived
    of_application: bool = False  # says something about one application, not about the whole account


def _table(*rows: tuple[str, str, Remedy, str], duplicate: str = "", of_application: str = "") -> dict[str, CodeEntry]:
    """`duplicate` is the code that says "I have the same already", `of_application` the one about an application."""
    return {
        row[0]: CodeEntry(*row, says_duplicate=row[0] == duplicate, of_application=row[0] == of_application)
        for row in rows
    }


_CREDENTIALS = "Check LAAFFIC_API_KEY and LAAFFIC_API_SECRET against the developer options at Laaffic."
_ADDRESS = "Have this machine's address added to the IP whitelist at Laaffic."
_MANAGER = "Ask your Laaffic account manager."
_REQUEST = "This request is wrong as it stands; correct it and try again."
_LATER = "The console tries again by itself, later each time."
_LOOK = "The console looks for evidence of what happened before anything is sent again."

# wire §3.1: SMS, MMS, voice, numbers, OTP, balance
COMMON = _table(
    ("-1", "authentication error", Remedy.HOLD_ACCOUNT, _CREDENTIALS),
    ("-2", "IP restricted", Remedy.HOLD_ACCOUNT, _ADDRESS),
    ("-3", "sensitive characters in the content", Remedy.FIX_CONTENT, "Reword the text and send it as a new campaign."),
    ("-4", "content empty", Remedy.FIX_CONTENT, "Write a text."),
    ("-5", "content too long", Remedy.FIX_CONTENT, "Shorten the text to 1,024 characters."),
    ("-6", "not matching a template", Remedy.FIX_CONTENT, "Use a text that matches a template approved at Laaffic."),
    ("-7", "too many numbers", Remedy.SPLIT, "The console sends it again in smaller parts."),
    ("-8", "numbers empty", Remedy.FATAL, _REQUEST),
    ("-9", "abnormal numbers", Remedy.SPLIT, "The console finds the bad number by halves and sends the rest."),
    (
        "-10",
        "insufficient balance",
        Remedy.HOLD_ACCOUNT,
        "Top up the account at Laaffic; what waits goes on by itself.",
    ),
    ("-11", "wrong time format", Remedy.FATAL, _REQUEST),
    ("-12", "platform failure on submit", Remedy.UNCERTAIN, _LOOK),
    ("-13", "user locked", Remedy.HOLD_ACCOUNT, _MANAGER),
    ("-14", "field empty or id abnormal", Remedy.FATAL, _REQUEST),
    ("-15", "querying too often", Remedy.RETRY, _LATER),
    ("-16", "timestamp expired", Remedy.RESIGN, "Set this machine's clock (NTP); what waits goes on by itself."),
    ("-17", "SMS template empty", Remedy.FATAL, _REQUEST),
    ("-18", "system error", Remedy.UNCERTAIN, _LOOK),
    ("-19", "no price agreed", Remedy.FATAL, "Ask your account manager to agree a price for this country."),
    (
        "-20",
        "data already exists",
        Remedy.FATAL,
        "Use another name; after a retry it means that the first one arrived.",
    ),
    ("-21", "data validation failed", Remedy.FATAL, _REQUEST),
    ("-22", "wrong parameter", Remedy.FATAL, _REQUEST),
    ("-23", "data cap reached", Remedy.FATAL, "Delete what is no longer needed at Laaffic."),
    ("-24", "data does not exist", Remedy.FATAL, "It was removed at Laaffic; synchronise and choose again."),
    ("-25", "outside the time range", Remedy.FATAL, "Ask for a shorter or more recent period."),
    ("-26", "no rate found", Remedy.FATAL, "Ask your account manager about the rate for this country."),
    ("-27", "sending limit of the period reached", Remedy.RETRY, _LATER),
    ("-28", "sending limit for one phone reached", Remedy.RETRY, _LATER),
    ("-29", "workspace disabled", Remedy.HOLD_ACCOUNT, _MANAGER),
    ("-30", "API key disabled", Remedy.HOLD_ACCOUNT, "Enable the key at Laaffic or set another one."),
    ("-31", "IP not in the whitelist", Remedy.HOLD_ACCOUNT, _ADDRESS),
    (
        "-32",
        "key has no permission for this application",
        Remedy.HOLD_ACCOUNT,
        "Give the key this application at Laaffic.",
    ),
    ("-34", "no callable numbers left", Remedy.FATAL, "Everyone in this task has been reached."),
    ("-35", "already bound, or no number to call", Remedy.FATAL, "Unbind the number first, or choose another."),
    ("-37", "the task does not allow this now", Remedy.FATAL, "Look at the task's state; it may have begun."),
    ("-41", "no free number, or wrong state", Remedy.RETRY, "All numbers of the pool are in use; try again later."),
    ("-42", "no numbers", Remedy.FATAL, "Add numbers and try again."),
    ("-54", "wrong task", Remedy.FATAL, "The task is not of this kind; choose another."),
    ("-68", "SIP phone not idle", Remedy.RETRY, "The phone is busy; try again when it is free."),
    ("-74", "agent group of another application", Remedy.FATAL, "Choose an agent group of this application."),
    ("-77", "application has no minimum rate", Remedy.FATAL, _MANAGER),
    duplicate="-20",
    of_application="-32",
)

# wire §2.23: numbers read the common table but for these
NUMBER = COMMON | _table(
    ("-20", "the pool's number exists already", Remedy.FATAL, "Edit that pool, or choose another number for this one."),
    ("-24", "no such binding or pool", Remedy.FATAL, "It is gone at Laaffic: synchronise to see what is there."),
    ("-35", "A or B is bound already", Remedy.FATAL, "Unbind the number first, or wait until its binding expires."),
    ("-41", "no middle number is free", Remedy.RETRY, "Unbind what is no longer needed, or enlarge the pool."),
    duplicate="-20",
)

# wire §3.2: a family of its own
EMAIL = _table(
    ("-1", "authentication error", Remedy.HOLD_ACCOUNT, _CREDENTIALS),
    ("-2", "duplicate submission", Remedy.FATAL, "The first request arrived; this one changed nothing."),
    ("-3", "group name not bound", Remedy.FATAL, _MANAGER),
    ("-4", "user locked", Remedy.HOLD_ACCOUNT, _MANAGER),
    ("-5", "field empty or id abnormal", Remedy.FATAL, _REQUEST),
    ("-6", "timestamp expired", Remedy.RESIGN, "Set this machine's clock (NTP); what waits goes on by itself."),
    ("-7", "wrong time format", Remedy.FATAL, _REQUEST),
    ("-8", "IP restricted", Remedy.HOLD_ACCOUNT, _ADDRESS),
    ("-9", "sender address empty", Remedy.FATAL, "Choose a sender address."),
    ("-10", "sender address not configured", Remedy.FATAL, "Configure the sender address at Laaffic first."),
    ("-11", "template does not exist", Remedy.FATAL, "Choose a template that exists at Laaffic."),
    ("-12", "template not approved", Remedy.FATAL, "Wait until the template is approved at Laaffic."),
    ("-13", "recipient address empty", Remedy.FATAL, "Choose recipients."),
    ("-16", "recipient list error", Remedy.FATAL, "Check the recipient list at Laaffic."),
    ("-23", "system error", Remedy.UNCERTAIN, _LOOK),
    ("-24", "account not verified", Remedy.HOLD_ACCOUNT, "Verify the account at Laaffic."),
    ("-28", "more than 200 email ids", Remedy.FATAL, _REQUEST),
    duplicate="-2",
    of_application="-24",
)

_TABLES = {Family.EMAIL: EMAIL, Family.NUMBER: NUMBER}


def lookup(family: Family, code: str) -> CodeEntry:
    """What a code means and calls for; a code nobody lists is fatal for its request, and kept as it came."""
    return _TABLES.get(family, COMMON).get(code) or CodeEntry(
        code, "a code the vendor does not document", Remedy.FATAL, "Ask Laaffic's support what this code means."
    )


class DeliveryState(StrEnum):
    DELIVERED = "delivered"
    PENDING = "pending"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Where a delivery report came from."""

    PUSH = "push"
    GET_REPORT = "getReport"
    GET_SENT_RCD = "getSentRcd"
    GET_SEND_EMAIL_RCD = "getSendEmailRcd"
    VOICE_PUSH = "voice push"
    VOICE_RECORD = "voice record"


# wire §3.3; English and Chinese pages differ about getSentRcd, so 1 and 2 are both failures.
_DELIVERY = {
    Source.GET_REPORT: {"0": DeliveryState.DELIVERED, "-1": DeliveryState.PENDING, "1": DeliveryState.FAILED},
    Source.GET_SENT_RCD: {
        "0": DeliveryState.DELIVERED,
        "-1": DeliveryState.PENDING,
        "1": DeliveryState.FAILED,
        "2": DeliveryState.FAILED,
    },
    Source.GET_SEND_EMAIL_RCD: {"0": DeliveryState.DELIVERED, "-1": DeliveryState.PENDING, "1": DeliveryState.FAILED},
}


def delivery_state(source: Source, status: str) -> DeliveryState:
    if source is Source.PUSH:
        return DeliveryState.DELIVERED if status == "0" else DeliveryState.FAILED
    return _DELIVERY[source].get(status, DeliveryState.UNKNOWN)

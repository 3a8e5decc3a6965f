"""The vendor's code tables as data (wire §3). This module alone says what a refusal calls for.

The same number means different things in different families (wire §0.3), so everything is keyed by (family, code).
"""

import re
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
    FIX_ADDRESS = "fix the address"  # it is not Laaffic that answers: nothing leaves until a person has looked
    FATAL = "fatal for this request"


@dataclass(frozen=True, slots=True)
class CodeEntry:
    code: str
    meaning: str
    remedy: Remedy
    advice: str  # one sentence: what an operator does next
    says_duplicate: bool = False  # after a request whose answer was lost: evidence that it arrived
    of_application: bool = False  # says something about one application, not about the whole account
    of_number: bool = False  # says something about one of the numbers: the others go on without it


def _(words: str) -> str:
    """Marks words for the console's catalogues. This package says them in English; its callers translate."""
    return words


def _table(
    *rows: tuple[str, str, Remedy, str],
    duplicate: str = "",
    of_application: str = "",
    of_number: tuple[str, ...] = (),
) -> dict[str, CodeEntry]:
    """`duplicate` is the code that says "I have the same already", `of_application` the one about an application, and
    `of_number` are those about one of the numbers."""
    return {
        row[0]: CodeEntry(
            *row,
            says_duplicate=row[0] == duplicate,
            of_application=row[0] == of_application,
            of_number=row[0] in of_number,
        )
        for row in rows
    }


_CREDENTIALS = _("Check LAAFFIC_API_KEY and LAAFFIC_API_SECRET against the developer options at Laaffic.")
_ADDRESS = _("Have this machine's address added to the IP whitelist at Laaffic.")
_MANAGER = _("Ask your Laaffic account manager.")
_REQUEST = _("This request is wrong as it stands; correct it and try again.")
_LATER = _("The console tries again by itself, later each time.")
_LOOK = _("The console looks for evidence of what happened before anything is sent again.")

# wire §3.1: SMS, MMS, voice, numbers, OTP, balance
COMMON = _table(
    ("-1", _("authentication error"), Remedy.HOLD_ACCOUNT, _CREDENTIALS),
    ("-2", _("IP restricted"), Remedy.HOLD_ACCOUNT, _ADDRESS),
    (
        "-3",
        _("sensitive characters in the content"),
        Remedy.FIX_CONTENT,
        _("Reword the text and send it as a new campaign."),
    ),
    ("-4", _("content empty"), Remedy.FIX_CONTENT, _("Write a text.")),
    ("-5", _("content too long"), Remedy.FIX_CONTENT, _("Shorten the text to 1,024 characters.")),
    (
        "-6",
        _("not matching a template"),
        Remedy.FIX_CONTENT,
        _("Use a text that matches a template approved at Laaffic."),
    ),
    ("-7", _("too many numbers"), Remedy.SPLIT, _("The console sends it again in smaller parts.")),
    ("-8", _("numbers empty"), Remedy.FATAL, _REQUEST),
    ("-9", _("abnormal numbers"), Remedy.SPLIT, _("The console finds the bad number by halves and sends the rest.")),
    (
        "-10",
        _("insufficient balance"),
        Remedy.HOLD_ACCOUNT,
        _("Top up the account at Laaffic; what waits goes on by itself."),
    ),
    ("-11", _("wrong time format"), Remedy.FATAL, _REQUEST),
    ("-12", _("platform failure on submit"), Remedy.UNCERTAIN, _LOOK),
    ("-13", _("user locked"), Remedy.HOLD_ACCOUNT, _MANAGER),
    ("-14", _("field empty or id abnormal"), Remedy.FATAL, _REQUEST),
    ("-15", _("querying too often"), Remedy.RETRY, _LATER),
    ("-16", _("timestamp expired"), Remedy.RESIGN, _("Set this machine's clock (NTP); what waits goes on by itself.")),
    ("-17", _("SMS template empty"), Remedy.FATAL, _REQUEST),
    ("-18", _("system error"), Remedy.UNCERTAIN, _LOOK),
    ("-19", _("no price agreed"), Remedy.FATAL, _("Ask your account manager to agree a price for this country.")),
    (
        "-20",
        _("data already exists"),
        Remedy.FATAL,
        _("Use another name; after a retry it means that the first one arrived."),
    ),
    ("-21", _("data validation failed"), Remedy.FATAL, _REQUEST),
    ("-22", _("wrong parameter"), Remedy.FATAL, _REQUEST),
    ("-23", _("data cap reached"), Remedy.FATAL, _("Delete what is no longer needed at Laaffic.")),
    ("-24", _("data does not exist"), Remedy.FATAL, _("It was removed at Laaffic; synchronise and choose again.")),
    ("-25", _("outside the time range"), Remedy.FATAL, _("Ask for a shorter or more recent period.")),
    ("-26", _("no rate found"), Remedy.FATAL, _("Ask your account manager about the rate for this country.")),
    ("-27", _("sending limit of the period reached"), Remedy.RETRY, _LATER),
    ("-28", _("sending limit for one phone reached"), Remedy.RETRY, _LATER),
    ("-29", _("workspace disabled"), Remedy.HOLD_ACCOUNT, _MANAGER),
    ("-30", _("API key disabled"), Remedy.HOLD_ACCOUNT, _("Enable the key at Laaffic or set another one.")),
    ("-31", _("IP not in the whitelist"), Remedy.HOLD_ACCOUNT, _ADDRESS),
    (
        "-32",
        _("key has no permission for this application"),
        Remedy.HOLD_ACCOUNT,
        _("Give the key this application at Laaffic."),
    ),
    ("-34", _("no callable numbers left"), Remedy.FATAL, _("Everyone in this task has been reached.")),
    ("-35", _("already bound, or no number to call"), Remedy.FATAL, _("Unbind the number first, or choose another.")),
    ("-37", _("the task does not allow this now"), Remedy.FATAL, _("Look at the task's state; it may have begun.")),
    (
        "-41",
        _("no free number, or wrong state"),
        Remedy.RETRY,
        _("All numbers of the pool are in use; try again later."),
    ),
    ("-42", _("no numbers"), Remedy.FATAL, _("Add numbers and try again.")),
    ("-54", _("wrong task"), Remedy.FATAL, _("The task is not of this kind; choose another.")),
    ("-68", _("SIP phone not idle"), Remedy.RETRY, _("The phone is busy; try again when it is free.")),
    ("-74", _("agent group of another application"), Remedy.FATAL, _("Choose an agent group of this application.")),
    ("-77", _("application has no minimum rate"), Remedy.FATAL, _MANAGER),
    duplicate="-20",
    of_application="-32",
    of_number=("-9", "-28"),
)

# wire §2.5, §2.7: a call has no code of its own for a number that cannot be called, and one callee
VOICE = COMMON | _table(
    ("-22", _("wrong parameter"), Remedy.FATAL, _("Check the number, and what the call is to say.")),
    ("-26", _("no rate found"), Remedy.FATAL, _("Ask your account manager about the rate for this country.")),
    of_number=("-22", "-26"),
)

# wire §2.23: numbers read the common table but for these
NUMBER = COMMON | _table(
    (
        "-20",
        _("the pool's number exists already"),
        Remedy.FATAL,
        _("Edit that pool, or choose another number for this one."),
    ),
    ("-24", _("no such binding or pool"), Remedy.FATAL, _("It is gone at Laaffic: synchronise to see what is there.")),
    (
        "-35",
        _("A or B is bound already"),
        Remedy.FATAL,
        _("Unbind the number first, or wait until its binding expires."),
    ),
    ("-41", _("no middle number is free"), Remedy.RETRY, _("Unbind what is no longer needed, or enlarge the pool.")),
    duplicate="-20",
)

# wire §3.2: a family of its own
EMAIL = _table(
    ("-1", _("authentication error"), Remedy.HOLD_ACCOUNT, _CREDENTIALS),
    ("-2", _("duplicate submission"), Remedy.FATAL, _("The first request arrived; this one changed nothing.")),
    ("-3", _("group name not bound"), Remedy.FATAL, _MANAGER),
    ("-4", _("user locked"), Remedy.HOLD_ACCOUNT, _MANAGER),
    ("-5", _("field empty or id abnormal"), Remedy.FATAL, _REQUEST),
    ("-6", _("timestamp expired"), Remedy.RESIGN, _("Set this machine's clock (NTP); what waits goes on by itself.")),
    ("-7", _("wrong time format"), Remedy.FATAL, _REQUEST),
    ("-8", _("IP restricted"), Remedy.HOLD_ACCOUNT, _ADDRESS),
    ("-9", _("sender address empty"), Remedy.FATAL, _("Choose a sender address.")),
    ("-10", _("sender address not configured"), Remedy.FATAL, _("Configure the sender address at Laaffic first.")),
    ("-11", _("template does not exist"), Remedy.FATAL, _("Choose a template that exists at Laaffic.")),
    ("-12", _("template not approved"), Remedy.FATAL, _("Wait until the template is approved at Laaffic.")),
    ("-13", _("recipient address empty"), Remedy.FATAL, _("Choose recipients.")),
    ("-16", _("recipient list error"), Remedy.FATAL, _("Check the recipient list at Laaffic.")),
    ("-23", _("system error"), Remedy.UNCERTAIN, _LOOK),
    ("-24", _("account not verified"), Remedy.HOLD_ACCOUNT, _("Verify the account at Laaffic.")),
    ("-28", _("more than 200 email ids"), Remedy.FATAL, _REQUEST),
    duplicate="-2",
    of_application="-24",
)

_TABLES = {Family.EMAIL: EMAIL, Family.NUMBER: NUMBER, Family.VOICE: VOICE}

_FOREIGN_REFUSAL = _(
    "Something between this machine and Laaffic turns requests away: let them through, or check LAAFFIC_BASE_URL."
)
_FOREIGN_ADDRESS = _("Check LAAFFIC_BASE_URL and LAAFFIC_PATHS, restart, and resume; nothing was rejected.")

# Answers of something on the way that is not Laaffic: it turned the request away before Laaffic saw it.
_FOREIGN = {
    429: CodeEntry("HTTP 429", _("too many requests at once"), Remedy.RETRY, _LATER),
    413: CodeEntry(
        "HTTP 413", _("the request is too large for a proxy"), Remedy.SPLIT, _("The console sends smaller parts.")
    ),
    401: CodeEntry("HTTP 401", _("a proxy wants a sign-in"), Remedy.FIX_ADDRESS, _FOREIGN_REFUSAL),
    403: CodeEntry("HTTP 403", _("a proxy forbids it"), Remedy.FIX_ADDRESS, _FOREIGN_REFUSAL),
    407: CodeEntry("HTTP 407", _("a proxy wants a sign-in"), Remedy.FIX_ADDRESS, _FOREIGN_REFUSAL),
    404: CodeEntry("HTTP 404", _("there is no such interface at this address"), Remedy.FIX_ADDRESS, _FOREIGN_ADDRESS),
    405: CodeEntry("HTTP 405", _("this address takes no such requests"), Remedy.FIX_ADDRESS, _FOREIGN_ADDRESS),
}
_MAY_HAVE_ARRIVED = (408, 409, 499)  # the request may have gone on to Laaffic before this was said


def lookup(family: Family, code: str) -> CodeEntry:
    """What a code means and calls for; a code nobody lists is fatal for its request, and kept as it came."""
    return _TABLES.get(family, COMMON).get(code) or CodeEntry(
        code, _("a code the vendor does not document"), Remedy.FATAL, _("Ask Laaffic's support what this code means.")
    )


def foreign(http_status: int) -> CodeEntry | None:
    """What an HTTP error under 500 calls for that Laaffic did not write; None where the request may have arrived."""
    if not 400 <= http_status < 500 or http_status in _MAY_HAVE_ARRIVED:
        return None
    return _FOREIGN.get(http_status) or CodeEntry(
        f"HTTP {http_status}", _("this address does not answer as Laaffic does"), Remedy.FIX_ADDRESS, _FOREIGN_ADDRESS
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


# The words of the field (SMPP 3.4 §5.2.28, and what gateways make of them), for whoever does not send the documented
# numbers. Any other word says nothing.
_WORDS = {
    **dict.fromkeys(("delivrd", "delivered", "success", "successful"), DeliveryState.DELIVERED),
    **dict.fromkeys(
        ("acceptd", "accepted", "enroute", "pending", "sending", "sent", "submitted", "buffered", "scheduled"),
        DeliveryState.PENDING,
    ),
    **dict.fromkeys(
        ("undeliv", "undelivered", "undeliverable", "expired", "rejectd", "rejected", "deleted"), DeliveryState.FAILED
    ),
    **dict.fromkeys(("fail", "failed", "failure", "blocked"), DeliveryState.FAILED),
}


def delivery_state(source: Source, status: str) -> DeliveryState:
    """What a status says; UNKNOWN for one that is neither documented for its source nor a word of the field."""
    said = status.strip().lower()
    if whole := re.fullmatch(r"([+-]?[0-9]{1,9})(?:\.0*)?", said):  # "0.0" of a library that has no integers
        said = str(int(whole[1]))
        if source is Source.PUSH:  # 0 is success, every other number a failure (wire §2.4)
            return DeliveryState.DELIVERED if said == "0" else DeliveryState.FAILED
    return _DELIVERY.get(source, {}).get(said) or _WORDS.get(said, DeliveryState.UNKNOWN)

"""The code tables as data (laaffic-api#codes). This module alone knows codes by number, and says what one calls for.

The same number means different things in different families, so everything is keyed by (family, code).
"""

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    SMS = "sms"
    VOICE = "voice"
    NUMBER = "number"
    EMAIL = "email"
    ACCOUNT = "account"


SUCCESS = "0"


class Code(StrEnum):
    """The common table's codes (laaffic-api#codes), by what they say; email has its own."""

    AUTHENTICATION = "-1"
    ADDRESS_RESTRICTED = "-2"
    SENSITIVE_CONTENT = "-3"
    CONTENT_EMPTY = "-4"
    CONTENT_TOO_LONG = "-5"
    MATCHES_NO_TEMPLATE = "-6"
    TOO_MANY_NUMBERS = "-7"
    NUMBERS_EMPTY = "-8"
    ABNORMAL_NUMBERS = "-9"
    NO_FUNDS = "-10"
    WRONG_TIME_FORMAT = "-11"
    PLATFORM_FAILURE = "-12"
    USER_LOCKED = "-13"
    FIELD_EMPTY = "-14"
    TOO_OFTEN = "-15"
    TIMESTAMP_EXPIRED = "-16"
    TEMPLATE_EMPTY = "-17"
    SYSTEM_ERROR = "-18"
    NO_PRICE = "-19"
    EXISTS_ALREADY = "-20"
    VALIDATION_FAILED = "-21"
    WRONG_PARAMETER = "-22"
    DATA_CAP = "-23"
    DOES_NOT_EXIST = "-24"
    OUTSIDE_TIME_RANGE = "-25"
    NO_RATE = "-26"
    LIMIT_OF_PERIOD = "-27"
    LIMIT_OF_PHONE = "-28"
    WORKSPACE_DISABLED = "-29"
    KEY_DISABLED = "-30"
    ADDRESS_NOT_LISTED = "-31"
    NOT_THIS_APPLICATION = "-32"
    NOBODY_LEFT_TO_CALL = "-34"
    BOUND_ALREADY = "-35"
    TASK_FORBIDS_IT_NOW = "-37"
    NO_FREE_NUMBER = "-41"
    NO_NUMBERS = "-42"
    WRONG_TASK = "-54"
    PHONE_NOT_IDLE = "-68"
    FOREIGN_AGENT_GROUP = "-74"
    NO_MINIMUM_RATE = "-77"


# Codes of the common table for what is wrong as it was asked, and will be tomorrow.
WRONG_VALUES = (
    Code.NUMBERS_EMPTY,
    Code.ABNORMAL_NUMBERS,
    Code.FIELD_EMPTY,
    Code.VALIDATION_FAILED,
    Code.WRONG_PARAMETER,
)


class EmailCode(StrEnum):
    """The meanings of the same numbers for email (laaffic-api#email-codes)."""

    AUTHENTICATION = "-1"
    DUPLICATE = "-2"
    GROUP_NOT_BOUND = "-3"
    USER_LOCKED = "-4"
    FIELD_EMPTY = "-5"
    TIMESTAMP_EXPIRED = "-6"
    WRONG_TIME_FORMAT = "-7"
    ADDRESS_RESTRICTED = "-8"
    SENDER_EMPTY = "-9"
    SENDER_NOT_CONFIGURED = "-10"
    NO_TEMPLATE = "-11"
    TEMPLATE_NOT_APPROVED = "-12"
    RECIPIENT_EMPTY = "-13"
    RECIPIENT_LIST_ERROR = "-16"
    SYSTEM_ERROR = "-23"
    NOT_VERIFIED = "-24"
    TOO_MANY_IDS = "-28"


FOREIGN = "HTTP "  # what a code begins with that is not Laaffic's, but of something on the way


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
    advice: str  # what an operator does next, where a campaign repeats or divides the request by itself
    says_duplicate: bool = False  # after a request whose answer was lost: evidence that it arrived
    of_application: bool = False  # says something about one application, not about the whole account
    of_number: bool = False  # says something about one of the numbers: the others go on without it

    @property
    def advice_alone(self) -> str:
        """What an operator does next about a request that nothing repeats: a call, a binding, an upload."""
        return _ALONE.get(self.advice, self.advice)

    @property
    def is_foreign(self) -> bool:
        """Whether not Laaffic said it, but something on the way."""
        return self.code.startswith(FOREIGN)


def _(words: str) -> str:
    """Marks words for the console's catalogues. This package says them in English; its callers translate."""
    return words


def _table(
    *rows: tuple[Code | EmailCode, str, Remedy, str],
    duplicate: str = "",
    of_application: str = "",
    of_number: tuple[str, ...] = (),
) -> dict[str, CodeEntry]:
    """`duplicate` is the code that says "I have the same already", `of_application` the one about an application, and
    `of_number` are those about one of the numbers."""
    return {
        row[0].value: CodeEntry(
            row[0].value,
            *row[1:],
            says_duplicate=row[0] == duplicate,
            of_application=row[0] == of_application,
            of_number=row[0] in of_number,
        )
        for row in rows
    }


_CREDENTIALS = _(
    "Laaffic does not know this key, or the secret does not belong to it. Copy both again from the developer "
    "options at Laaffic into LAAFFIC_API_KEY and LAAFFIC_API_SECRET, without spaces, and restart the console."
)
_ADDRESS = _(
    "Laaffic takes no requests from this machine's internet address. Have the address added to the IP whitelist at "
    "Laaffic, or take the restriction off."
)
_LOCKED = _("Laaffic has locked this user. Only your account manager at Laaffic can unlock it.")
_CLOCK = _(
    "This machine's clock and Laaffic's are more than half an hour apart, and correcting for it did not help. "
    "Switch on time synchronisation (NTP) on this machine; what is waiting resumes automatically."
)
_MANAGER = _("Ask your Laaffic account manager.")
_REQUEST = _("This request is wrong as it stands; correct it and try again.")
_LATER = _("The console tries again by itself, later each time.")
_FOR_A_DAY = _(
    "The console tries again for a day, later each time; what is refused then can be retried on another day."
)
_IN_PARTS = _("The console sends it again in smaller parts.")
_BY_HALVES = _("The console finds the bad number by halves and sends the rest.")
_SMALLER = _("The console sends smaller parts.")
_ALONE = {
    _LATER: _("Nothing was done: try again in some minutes."),
    _FOR_A_DAY: _("Nothing was done: try again on another day."),
    _IN_PARTS: _("Nothing was done: give fewer numbers."),
    _BY_HALVES: _("Nothing was done: look for the number that is wrong."),
    _SMALLER: _("Nothing was done: give fewer numbers, or a smaller file."),
}
_THEIR_FAILURE = _("Laaffic had a failure of its own. The credentials may be right; try again in a minute.")
_LOOK = _("The console looks for evidence of what happened before anything is sent again.")

# laaffic-api#codes: SMS, MMS, voice, numbers, OTP, balance
COMMON = _table(
    (Code.AUTHENTICATION, _("authentication error"), Remedy.HOLD_ACCOUNT, _CREDENTIALS),
    (Code.ADDRESS_RESTRICTED, _("IP restricted"), Remedy.HOLD_ACCOUNT, _ADDRESS),
    (
        Code.SENSITIVE_CONTENT,
        _("sensitive characters in the content"),
        Remedy.FIX_CONTENT,
        _("Reword the text and send it as a new campaign."),
    ),
    (Code.CONTENT_EMPTY, _("content empty"), Remedy.FIX_CONTENT, _("Write a text.")),
    (Code.CONTENT_TOO_LONG, _("content too long"), Remedy.FIX_CONTENT, _("Shorten the text to 1,024 characters.")),
    (
        Code.MATCHES_NO_TEMPLATE,
        _("not matching a template"),
        Remedy.FIX_CONTENT,
        _("Use a text that matches a template approved at Laaffic."),
    ),
    (Code.TOO_MANY_NUMBERS, _("too many numbers"), Remedy.SPLIT, _IN_PARTS),
    (Code.NUMBERS_EMPTY, _("numbers empty"), Remedy.FATAL, _REQUEST),
    (
        Code.ABNORMAL_NUMBERS,
        _("abnormal numbers"),
        Remedy.SPLIT,
        _BY_HALVES,
    ),
    (
        Code.NO_FUNDS,
        _("insufficient balance"),
        Remedy.HOLD_ACCOUNT,
        _("There is no money on the account. Top it up at Laaffic; what is waiting resumes automatically."),
    ),
    (Code.WRONG_TIME_FORMAT, _("wrong time format"), Remedy.FATAL, _REQUEST),
    (Code.PLATFORM_FAILURE, _("platform failure on submit"), Remedy.UNCERTAIN, _LOOK),
    (Code.USER_LOCKED, _("user locked"), Remedy.HOLD_ACCOUNT, _LOCKED),
    (Code.FIELD_EMPTY, _("field empty or id abnormal"), Remedy.FATAL, _REQUEST),
    (Code.TOO_OFTEN, _("querying too often"), Remedy.RETRY, _LATER),
    (Code.TIMESTAMP_EXPIRED, _("timestamp expired"), Remedy.RESIGN, _CLOCK),
    (Code.TEMPLATE_EMPTY, _("SMS template empty"), Remedy.FATAL, _REQUEST),
    (Code.SYSTEM_ERROR, _("system error"), Remedy.UNCERTAIN, _LOOK),
    (
        Code.NO_PRICE,
        _("no price agreed"),
        Remedy.FATAL,
        _("Ask your account manager to agree a price for this country."),
    ),
    (
        Code.EXISTS_ALREADY,
        _("data already exists"),
        Remedy.FATAL,
        _("Use another name; after a retry it means that the first one arrived."),
    ),
    (Code.VALIDATION_FAILED, _("data validation failed"), Remedy.FATAL, _REQUEST),
    (Code.WRONG_PARAMETER, _("wrong parameter"), Remedy.FATAL, _REQUEST),
    (Code.DATA_CAP, _("data cap reached"), Remedy.FATAL, _("Delete what is no longer needed at Laaffic.")),
    (
        Code.DOES_NOT_EXIST,
        _("data does not exist"),
        Remedy.FATAL,
        _("It was removed at Laaffic; synchronise and choose again."),
    ),
    (Code.OUTSIDE_TIME_RANGE, _("outside the time range"), Remedy.FATAL, _("Ask for a shorter or more recent period.")),
    (Code.NO_RATE, _("no rate found"), Remedy.FATAL, _("Ask your account manager about the rate for this country.")),
    (Code.LIMIT_OF_PERIOD, _("sending limit of the period reached"), Remedy.RETRY, _LATER),
    (Code.LIMIT_OF_PHONE, _("sending limit for one phone reached"), Remedy.RETRY, _FOR_A_DAY),
    (
        Code.WORKSPACE_DISABLED,
        _("workspace disabled"),
        Remedy.HOLD_ACCOUNT,
        _(
            "The workspace that this key belongs to is disabled at Laaffic. Enable it there, or use a key "
            "of another one."
        ),
    ),
    (
        Code.KEY_DISABLED,
        _("API key disabled"),
        Remedy.HOLD_ACCOUNT,
        _("This key is disabled at Laaffic. Enable it in the developer options, or set another key."),
    ),
    (
        Code.ADDRESS_NOT_LISTED,
        _("IP not in the whitelist"),
        Remedy.HOLD_ACCOUNT,
        _(
            "This machine's internet address is not in the key's IP whitelist. Add it in the developer options at "
            "Laaffic."
        ),
    ),
    (
        Code.NOT_THIS_APPLICATION,
        _("key has no permission for this application"),
        Remedy.HOLD_ACCOUNT,
        _(
            "The key is right, but it may not use this application. Give the key this application at Laaffic, or "
            "register another appId here."
        ),
    ),
    (
        Code.NOBODY_LEFT_TO_CALL,
        _("no callable numbers left"),
        Remedy.FATAL,
        _("Everyone in this task has been reached."),
    ),
    (
        Code.BOUND_ALREADY,
        _("already bound, or no number to call"),
        Remedy.FATAL,
        _("Unbind the number first, or choose another."),
    ),
    (
        Code.TASK_FORBIDS_IT_NOW,
        _("the task does not allow this now"),
        Remedy.FATAL,
        _("Look at the task's state; it may have begun."),
    ),
    (
        Code.NO_FREE_NUMBER,
        _("no free number, or wrong state"),
        Remedy.RETRY,
        _("All numbers of the pool are in use; try again later."),
    ),
    (Code.NO_NUMBERS, _("no numbers"), Remedy.FATAL, _("Add numbers and try again.")),
    (Code.WRONG_TASK, _("wrong task"), Remedy.FATAL, _("The task is not of this kind; choose another.")),
    (Code.PHONE_NOT_IDLE, _("SIP phone not idle"), Remedy.RETRY, _("The phone is busy; try again when it is free.")),
    (
        Code.FOREIGN_AGENT_GROUP,
        _("agent group of another application"),
        Remedy.FATAL,
        _("Choose an agent group of this application."),
    ),
    (Code.NO_MINIMUM_RATE, _("application has no minimum rate"), Remedy.FATAL, _MANAGER),
    duplicate=Code.EXISTS_ALREADY,
    of_application=Code.NOT_THIS_APPLICATION,
    of_number=(Code.ABNORMAL_NUMBERS, Code.LIMIT_OF_PHONE),
)

# The account is only read, and a person waits for the answer: nothing tries again by itself, nothing has left
ACCOUNT = COMMON | _table(
    (Code.PLATFORM_FAILURE, _("platform failure on submit"), Remedy.UNCERTAIN, _THEIR_FAILURE),
    (
        Code.TOO_OFTEN,
        _("querying too often"),
        Remedy.RETRY,
        _("Laaffic was asked too often just now. Wait a minute and try again."),
    ),
    (Code.SYSTEM_ERROR, _("system error"), Remedy.UNCERTAIN, _THEIR_FAILURE),
)

# A call has no code of its own for a number that cannot be called, and one callee (laaffic-api#codes).
VOICE = COMMON | _table(
    (Code.WRONG_PARAMETER, _("wrong parameter"), Remedy.FATAL, _("Check the number, and what the call is to say.")),
    (Code.NO_RATE, _("no rate found"), Remedy.FATAL, _("Ask your account manager about the rate for this country.")),
    of_number=(Code.WRONG_PARAMETER, Code.NO_RATE),
)

# laaffic-api#codes: numbers read the common table but for these
NUMBER = COMMON | _table(
    (
        Code.EXISTS_ALREADY,
        _("the pool's number exists already"),
        Remedy.FATAL,
        _("Edit that pool, or choose another number for this one."),
    ),
    (
        Code.DOES_NOT_EXIST,
        _("no such binding or pool"),
        Remedy.FATAL,
        _("It is gone at Laaffic: synchronise to see what is there."),
    ),
    (
        Code.BOUND_ALREADY,
        _("A or B is bound already"),
        Remedy.FATAL,
        _("Unbind the number first, or wait until its binding expires."),
    ),
    (
        Code.NO_FREE_NUMBER,
        _("no middle number is free"),
        Remedy.RETRY,
        _("Unbind what is no longer needed, or enlarge the pool."),
    ),
    duplicate=Code.EXISTS_ALREADY,
)

# laaffic-api#email-codes: a family of its own
EMAIL = _table(
    (EmailCode.AUTHENTICATION, _("authentication error"), Remedy.HOLD_ACCOUNT, _CREDENTIALS),
    (
        EmailCode.DUPLICATE,
        _("duplicate submission"),
        Remedy.FATAL,
        _("The first request arrived; this one changed nothing."),
    ),
    (EmailCode.GROUP_NOT_BOUND, _("group name not bound"), Remedy.FATAL, _MANAGER),
    (EmailCode.USER_LOCKED, _("user locked"), Remedy.HOLD_ACCOUNT, _LOCKED),
    (EmailCode.FIELD_EMPTY, _("field empty or id abnormal"), Remedy.FATAL, _REQUEST),
    (EmailCode.TIMESTAMP_EXPIRED, _("timestamp expired"), Remedy.RESIGN, _CLOCK),
    (EmailCode.WRONG_TIME_FORMAT, _("wrong time format"), Remedy.FATAL, _REQUEST),
    (EmailCode.ADDRESS_RESTRICTED, _("IP restricted"), Remedy.HOLD_ACCOUNT, _ADDRESS),
    (EmailCode.SENDER_EMPTY, _("sender address empty"), Remedy.FATAL, _("Choose a sender address.")),
    (
        EmailCode.SENDER_NOT_CONFIGURED,
        _("sender address not configured"),
        Remedy.FATAL,
        _("Configure the sender address at Laaffic first."),
    ),
    (EmailCode.NO_TEMPLATE, _("template does not exist"), Remedy.FATAL, _("Choose a template that exists at Laaffic.")),
    (
        EmailCode.TEMPLATE_NOT_APPROVED,
        _("template not approved"),
        Remedy.FATAL,
        _("Wait until the template is approved at Laaffic."),
    ),
    (EmailCode.RECIPIENT_EMPTY, _("recipient address empty"), Remedy.FATAL, _("Choose recipients.")),
    (
        EmailCode.RECIPIENT_LIST_ERROR,
        _("recipient list error"),
        Remedy.FATAL,
        _("Check the recipient list at Laaffic."),
    ),
    (EmailCode.SYSTEM_ERROR, _("system error"), Remedy.UNCERTAIN, _LOOK),
    (EmailCode.NOT_VERIFIED, _("account not verified"), Remedy.HOLD_ACCOUNT, _("Verify the account at Laaffic.")),
    (EmailCode.TOO_MANY_IDS, _("more than 200 email ids"), Remedy.FATAL, _REQUEST),
    duplicate=EmailCode.DUPLICATE,
    of_application=EmailCode.NOT_VERIFIED,
)

_TABLES = {Family.ACCOUNT: ACCOUNT, Family.EMAIL: EMAIL, Family.NUMBER: NUMBER, Family.VOICE: VOICE}


def every_table() -> dict[Family, dict[str, CodeEntry]]:
    """{family: {code: what it means there}}."""
    return {family: _TABLES.get(family, COMMON) for family in Family}


_FOREIGN_REFUSAL = _(
    "Something between this machine and Laaffic turns requests away: let them through, or check LAAFFIC_BASE_URL."
)
_FOREIGN_ADDRESS = _("Check LAAFFIC_BASE_URL and LAAFFIC_PATHS, restart, and resume; nothing was rejected.")

# Answers of something on the way that is not Laaffic: it turned the request away before Laaffic saw it.
_FOREIGN = {
    429: CodeEntry("HTTP 429", _("too many requests at once"), Remedy.RETRY, _LATER),
    413: CodeEntry("HTTP 413", _("the request is too large for a proxy"), Remedy.SPLIT, _SMALLER),
    401: CodeEntry("HTTP 401", _("a proxy requires a sign-in"), Remedy.FIX_ADDRESS, _FOREIGN_REFUSAL),
    403: CodeEntry("HTTP 403", _("a proxy forbids it"), Remedy.FIX_ADDRESS, _FOREIGN_REFUSAL),
    407: CodeEntry("HTTP 407", _("a proxy requires a sign-in"), Remedy.FIX_ADDRESS, _FOREIGN_REFUSAL),
    404: CodeEntry("HTTP 404", _("there is no such interface at this address"), Remedy.FIX_ADDRESS, _FOREIGN_ADDRESS),
    405: CodeEntry("HTTP 405", _("this address does not accept such requests"), Remedy.FIX_ADDRESS, _FOREIGN_ADDRESS),
}
_MAY_HAVE_ARRIVED = (408, 409, 499)  # the request may have gone on to Laaffic before this was said


def lookup(family: Family, code: str) -> CodeEntry:
    """What a code means and calls for; a code nobody lists is fatal for its request, and kept as it came."""
    return _TABLES.get(family, COMMON).get(code) or CodeEntry(
        code, _("a code the vendor does not document"), Remedy.FATAL, _("Ask Laaffic's support what this code means.")
    )


def foreign(http_status: int) -> CodeEntry | None:
    """What to do about an HTTP error under 500 not written by Laaffic; None where the request may have arrived."""
    if not 400 <= http_status < 500 or http_status in _MAY_HAVE_ARRIVED:
        return None
    return _FOREIGN.get(http_status) or CodeEntry(
        f"HTTP {http_status}", _("this address does not answer as Laaffic does"), Remedy.FIX_ADDRESS, _FOREIGN_ADDRESS
    )

"""The options that can be set when the sandbox starts, and the faults that can be changed while it runs."""

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Options:
    api_key: str = "sandbox-key"
    api_secret: str = "sandbox-secret"  # noqa: S105 - a secret of nobody
    seed: int = 1
    tolerance: int = 1800  # seconds by which a timestamp may be off (laaffic-api#signature)
    clock_offset: float = 0.0  # seconds that this gateway's clock is ahead
    dialect: str = "both"  # vendor: array; seed: msgIds only; both: array and msgIds (laaffic-api#ambiguities 1)
    numeric_status: bool = False  # 0 instead of "0"
    seed_errors: bool = False  # an unknown application is "1", as one document has it (laaffic-api#ambiguities 18)
    task_envelope: bool = False  # group-call tasks refuse in code and msg too (laaffic-api#ambiguities 20)
    dedupe: bool = False  # an orderId is accepted only once (laaffic-api#ambiguities 24)
    refusal_http_status: int = 200  # for refusals: no page names one (laaffic-api#ambiguities 26)
    audio_bytes: int = 5 * 1024 * 1024  # the largest audio file (laaffic-api#ambiguities 31)
    record_page: int = 50_000  # rows per page of getSentRcd: some gateways give fewer than the vendor says
    failed_record: str = "2"  # the value for a failure in getSentRcd: 2 or 1 (laaffic-api#ambiguities 5)
    record_time: str = "sent"  # receiveTime of getReport and getSentRcd: sent or delivered (laaffic-api#ambiguities 35)
    record_prices: bool = False  # pricedetail in getReport and getSentRcd, as newer pages have it
    records_of_pending: bool = False  # getSentRcd lists what is being sent, as -1
    only_documented: bool = False  # the thirteen interfaces of the short document and no other
    leave_out_abnormal: bool = False  # abnormal numbers are left out of `array` instead of refusing the call
    applications: dict[str, str] = field(default_factory=dict)  # appId → product; empty: every appId is known
    balance: float | None = None  # decreases with each segment; None: never
    queue_time: float = 0.2  # seconds in which getReport does not find a message
    delivery_delay: tuple[float, float] = (0.3, 2.5)
    delivery_rate: float | None = None  # instead of each country's own
    callback: str = ""
    push_mode: str = "single"  # single, array or wrapped
    push_batch: int = 200
    push_repeat: float = 0.0  # probability that a push comes twice
    push_loss: float = 0.0  # probability that a report is never pushed
    push_shuffle: bool = False
    push_delay: float = 0.0
    push_retries: int = 5
    spaced_order_key: bool = False  # "orderId " as one vendor page prints it (laaffic-api#pushed-report)
    push_order_id: bool = True
    email_list_size: int = 20
    email_words: str = "en"  # emailState in the callback: en or zh
    email_callback_delay: float = 0.1  # seconds until the first callback
    email_duplicate_window: float = 60.0  # seconds in which the same batch again is −2
    strict_mms_size: bool = False  # 50 KB of the Base64 text instead of the file (laaffic-api#mmsupload)
    bindings: int = 0  # how many are there from the start
    expire_time: str = "datetime"  # or epoch (laaffic-api#ambiguities 16)
    strict_pools: bool = False  # editNumberPool requires oldPoolNumber (laaffic-api#ambiguities 15)
    owned_numbers: int = 12
    reply_rate: float = 0.0  # share of the recipients of a message that answer it
    reply_delay: float = 1.0  # seconds after it was delivered
    reply_words: list[str] = field(default_factory=lambda: ["STOP", "Yes please", "Who is this?", "Thank you!"])
    reply_callback: str = ""
    sip_phones: int = 5
    busy_phones: list[str] = field(default_factory=list)  # accounts that are never idle (-68)
    answer_rate: float | None = None  # instead of the usual mix of endings
    ring_seconds: tuple[float, float] = (0.5, 3.0)
    talk_seconds: tuple[float, float] = (1.0, 8.0)
    answered_code: str = "0"  # terminationCode of an answered call: 0 or 200 (laaffic-api#delivery-states)
    call_status: bool = True  # callStatus, which older records lack (laaffic-api#voice-pushes)
    group_calls_per_second: float = 200.0
    voice_callback: str = ""
    ringing_callback: str = ""
    misspelt_mnc: bool = False  # "mcn" in pushed replies, as the vendor's sample has it (laaffic-api#replies)
    clock_shift: float = 0.0  # seconds added to the age of everything that expires, except signatures


KINDS = (
    "reset_before",
    "reset_after",
    "bad_gateway_before",
    "bad_gateway_after",
    "html",
    "half_json",
    "hang",
    "busy",
    "failure_before",
    "failure_after",
)
# The faults that are ordinary answers with codes of the common table; email has its own codes.
CODES = {"busy": "-15", "failure_before": "-12", "failure_after": "-18"}
EMAIL_CODES = {"busy": "-23", "failure_before": "-23", "failure_after": "-23"}


@dataclass(slots=True)
class Faults:
    """Each fault has a probability; `next_fault` strikes the next `next_calls` calls for certain.

    Faults strike calls that act, of every family; `paths` names other ones, by how they begin.
    """

    paths: list[str] = field(default_factory=list)

    latency_ms: float = 0.0
    latency_jitter_ms: float = 0.0
    reset_before: float = 0.0  # the connection is cut before the request is read
    reset_after: float = 0.0  # accepted, then cut without an answer
    bad_gateway_before: float = 0.0
    bad_gateway_after: float = 0.0
    html: float = 0.0  # accepted, answered with a page
    half_json: float = 0.0  # accepted, answered with half a body
    hang: float = 0.0  # accepted, never answered
    busy: float = 0.0  # refused for now
    failure_before: float = 0.0  # the platform says that it failed, which is true
    failure_after: float = 0.0  # accepted, and the platform says that it failed
    status: str = ""  # this status code …
    status_calls: int = 0  # … for the next n calls
    http_status: int = 0  # a proxy's answer with this HTTP status and JSON of its own, without asking the gateway …
    http_calls: int = 0  # … for the next n calls
    retry_after: str = ""  # its Retry-After: seconds or a date
    next_fault: str = ""
    next_calls: int = 0
    leave_out: list[str] = field(default_factory=list)  # numbers left out of `array`
    abnormal: list[str] = field(default_factory=list)  # numbers that are abnormal (-9)

    def strikes(self, path: str, acts: bool) -> bool:
        return path.startswith(tuple(self.paths)) if self.paths else acts

    def update(self, given: dict[str, Any]) -> None:
        """Set the named faults; ValueError for an unknown name or a value of another type."""
        known = {entry.name for entry in fields(self)}
        checked = {}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"unknown fault {name}; there are: {', '.join(sorted(known))}")
            checked[name] = self._checked(name, value)
        if given.get("next_fault") and given["next_fault"] not in KINDS:
            raise ValueError(f"next_fault is one of {', '.join(KINDS)}")
        for name, value in checked.items():
            setattr(self, name, value)

    def _checked(self, name: str, value: Any) -> Any:
        expected = type(getattr(self, name))
        if expected is float and type(value) is int:
            value = float(value)
        if type(value) is not expected:
            raise ValueError(f"{name} must be {expected.__name__}")
        if expected is list and not all(isinstance(entry, str) for entry in value):
            raise ValueError(f"{name} must be a list of texts")
        if expected in (int, float) and not 0 <= value < 1_000_000_000:
            raise ValueError(f"{name} must be 0 or more")
        if name in KINDS and value > 1:
            raise ValueError(f"{name} is a probability, 0 to 1")
        return value

"""Email: batches to a list kept at Laaffic, single mails, what happened to them, what there is to choose from.

The codes are a table of their own (laaffic-api#email-codes). *Submitted* and *delivered* are two things: the
callback tells the one, getSendEmailRcd the other.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

from laaffic_console.laaffic import pages, times
from laaffic_console.laaffic.codes import Family
from laaffic_console.laaffic.delivery_states import DeliveryState, Source, delivery_state
from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.errors import InvalidRequest, OutcomeUnknown
from laaffic_console.laaffic.interfaces import Interfaces, check_app_id, check_count, check_length, check_range, joined
from laaffic_console.laaffic.pages import MalformedRecord
from laaffic_console.laaffic.pushes import entries_of
from laaffic_console.laaffic.reports import count, text

MAX_SUBJECT = 100
MAX_ADDRESSES = 50
MAX_EMAIL_IDS = 200
MAX_URL = 2048

T = TypeVar("T")


class Offered(list[T]):
    """What a look-up answers, and how many of its rows cannot be read."""

    unreadable = 0


class AdFlag(IntEnum):
    """Whether and where the subject says that the mail is an advertisement."""

    NONE = 0
    BEFORE_SUBJECT = 1
    AFTER_SUBJECT = 2


class SubmissionState(StrEnum):
    SUBMITTED = "submitted"  # handed over; whether it was delivered getSendEmailRcd says
    FAILED = "failed"
    UNKNOWN = "unknown"  # a word that is in no language we know; `raw_state` has it


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailBatch:
    """What batchSendEmail takes. The recipients and the text are at Laaffic: a list and an approved template."""

    app_id: str
    from_address: str  # configured and verified at Laaffic
    receiver_id: str  # the list; variables of the template come from it
    subject: str  # 1 to 100 characters
    template_id: str
    url: str  # where each mail's submission is told; it must hold a secret, for nothing else signs a callback
    language: str = ""  # "" is the template's own
    ad_flag: AdFlag | None = None
    trigger_id: int | None = None
    unsubscribe: bool | None = None  # a link to unsubscribe

    def fields(self) -> dict[str, Any]:
        """The fields in the documented order; empty ones are left out. InvalidRequest names a broken limit."""
        check_app_id(self.app_id)
        check_address("fromEmailAddress", self.from_address)
        check_length("receiverId", self.receiver_id, 1, 64)
        check_length("subject", self.subject, 1, MAX_SUBJECT)
        check_length("templateID", self.template_id, 1, 64)
        if not self.url.startswith(("http://", "https://")) or len(self.url) > MAX_URL:
            raise InvalidRequest("url", f"a callback's address starts with http:// or https://, at most {MAX_URL} long")
        fields: dict[str, Any] = {
            "appId": self.app_id,
            "fromEmailAddress": self.from_address,
            "receiverId": self.receiver_id,
            "subject": self.subject,
            "templateID": self.template_id,
            "url": self.url,
        }
        fields |= _choice_fields(self.language, self.ad_flag)
        if self.trigger_id is not None:
            fields["triggerID"] = self.trigger_id
        if self.unsubscribe is not None:
            fields["isUnsubscribe"] = int(self.unsubscribe)
        return fields


@dataclass(frozen=True, slots=True)
class BatchEmailResult:
    """`task_id` comes back in every callback; "" where the gateway told none."""

    task_id: str


@dataclass(frozen=True, slots=True)
class EmailSubmission:
    """What happened to one mail when it was submitted; `task_id` is "" for mails of sendEmail."""

    task_id: str
    email_id: str
    to_address: str
    state: SubmissionState
    raw_state: str
    remark: str


@dataclass(frozen=True, slots=True)
class SendEmailResult:
    """One entry an address; an address without one was not accepted."""

    emails: list[EmailSubmission]
    problems: list[str]
    success: int | None
    fail: int | None


@dataclass(frozen=True, slots=True)
class EmailDelivery:
    email_id: str
    to_address: str
    state: DeliveryState
    raw_status: str
    at: dt.datetime | None  # aware, UTC


@dataclass(frozen=True, slots=True)
class EmailDeliveries:
    deliveries: list[EmailDelivery]
    problems: list[str]
    success: int | None
    fail: int | None
    sending: int | None
    not_found: int | None  # includes mails that are still in the queue: never a failure


@dataclass(frozen=True, slots=True)
class EmailTemplate:
    template_id: str
    name: str
    subject: str
    language: str
    status: str  # as it came


@dataclass(frozen=True, slots=True)
class RecipientList:
    receiver_id: str
    name: str
    count: int | None  # addresses in it
    description: str
    created_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ParsedEmailCallback:
    submissions: list[EmailSubmission]
    problems: list[str]  # entries that are not callbacks, in words; they never cost the others


class EmailApi(Interfaces):
    family = Family.EMAIL

    def batch_send(self, batch: EmailBatch) -> BatchEmailResult:
        """POST /email/batchSendEmail: a template to everybody of a list; results go to `batch.url`.

        Refused with −2 it is a duplicate: where an earlier answer was lost, that request arrived (`says_duplicate`).
        """
        return _batch_result(self._post("/email/batchSendEmail", batch.fields()))

    def batch_send_get(self, batch: EmailBatch) -> BatchEmailResult:
        """GET /email/batchSendEmail. The callback's address, a secret, ends in access logs on the way: prefer POST."""
        params = {name: str(value) for name, value in batch.fields().items()}
        return _batch_result(self._get("/email/batchSendEmail", params))

    def send(
        self,
        *,
        app_id: str,
        from_address: str,
        to_addresses: Sequence[str],
        subject: str,
        template_id: str,
        template_data: Mapping[str, str] | None = None,
        language: str = "",
        ad_flag: AdFlag | None = None,
        check_addresses: bool | None = None,
        unsubscribe: bool | None = None,
    ) -> SendEmailResult:
        """POST /email/sendEmail: a template to at most 50 addresses.

        `check_addresses` has each address checked first, which the vendor charges for.
        """
        check_app_id(app_id)
        check_address("fromEmailAddress", from_address)
        check_count("toAddress", len(to_addresses), MAX_ADDRESSES, "addresses")
        for address in to_addresses:
            check_address("toAddress", address)
        check_length("subject", subject, 1, MAX_SUBJECT)
        check_length("templateID", template_id, 1, 64)
        body: dict[str, Any] = {
            "appId": app_id,
            "fromEmailAddress": from_address,
            "toAddress": joined("toAddress", to_addresses),
            "subject": subject,
            "templateID": template_id,
        }
        if template_data:
            body["templateData"] = json.dumps(dict(template_data), ensure_ascii=False, separators=(",", ":"))
        body |= _choice_fields(language, ad_flag)
        if check_addresses is not None:
            body["checkEmailAddress"] = check_addresses
        if unsubscribe is not None:
            body["isUnsubscribe"] = int(unsubscribe)
        told = self._post("/email/sendEmail", body).body
        array = told.get("array")
        emails, problems = pages.read_rows(array if isinstance(array, list) else [], _submission)
        return SendEmailResult(emails, problems, count(told.get("success")), count(told.get("fail")))

    def deliveries(self, *, app_id: str, email_ids: Sequence[str]) -> EmailDeliveries:
        """POST /email/getSendEmailRcd: at most 200 ids. One that is absent is not yet known."""
        check_app_id(app_id)
        check_count("emailId", len(email_ids), MAX_EMAIL_IDS, "ids")
        envelope = self._post("/email/getSendEmailRcd", {"appId": app_id, "emailId": joined("emailId", email_ids)})
        array = envelope.body.get("array")
        found, problems = pages.read_rows(array if isinstance(array, list) else [], self._delivery)
        counted = [count(envelope.body.get(name)) for name in ("success", "fail", "sending", "nofound")]
        return EmailDeliveries(found, problems, *counted)

    def templates(
        self, *, app_id: str, name: str = "", status: int | None = None, language: str = ""
    ) -> Offered[EmailTemplate]:
        """POST /email/getListEmailTemplates; `name` finds a part of it."""
        check_app_id(app_id)
        body: dict[str, Any] = {"appId": app_id, "templateName": name}
        if status is not None:
            body["templateStatus"] = status
        if language:
            body["language"] = language
        return _choices(self._post("/email/getListEmailTemplates", body), "email/getListEmailTemplates", _template)

    def recipient_lists(self, *, app_id: str, name: str = "") -> Offered[RecipientList]:
        """POST /email/getListReceivers; `name` finds a part of it."""
        check_app_id(app_id)
        body = {"appId": app_id, "receiversName": name}
        return _choices(self._post("/email/getListReceivers", body), "email/getListReceivers", self._recipient_list)

    def sender_addresses(self, *, app_id: str) -> Offered[str]:
        """POST /email/getListEmailAddress: the addresses that mails may come from."""
        check_app_id(app_id)
        envelope = self._post("/email/getListEmailAddress", {"appId": app_id})
        return _choices(envelope, "email/getListEmailAddress", _address)

    def _delivery(self, row: dict[str, Any]) -> EmailDelivery:
        email_id, status = text(row.get("emailId")), text(row.get("status"))
        if not email_id or not status:
            raise MalformedRecord("a mail's record without emailId or status")
        return EmailDelivery(
            email_id=email_id,
            to_address=text(row.get("toAddress")),
            state=delivery_state(Source.GET_SEND_EMAIL_RCD, status),
            raw_status=status,
            at=times.of_event(times.from_text(text(row.get("receiveTime")), self._zone)),
        )

    def _recipient_list(self, row: dict[str, Any]) -> RecipientList:
        return RecipientList(
            receiver_id=_id(row, "receiverId", "receiversId", "id"),
            name=_first(row, "receiversName", "receiverName", "name"),
            count=count(row.get("count")),
            description=text(row.get("desc")),
            created_at=times.from_text(text(row.get("createTime")), self._zone),
        )


def parse_email_callbacks(body: object) -> ParsedEmailCallback:
    """What is posted to the `url` of a batch (laaffic-api#batchsendemail): one object, a list, or `{"array": […]}`."""
    return ParsedEmailCallback(*pages.read_rows(entries_of(body), _submission))


def _choice_fields(language: str, ad_flag: AdFlag | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if ad_flag is not None:
        check_range("adFlag", ad_flag, 0, 2)
        fields["adFlag"] = int(ad_flag)
    if language:
        check_length("language", language, 1, 16)
        fields["language"] = language
    return fields


def check_address(field: str, address: str) -> None:
    """InvalidRequest for what the interface cannot tell from two addresses, or from a name with one."""
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or len(address) > 254 or any(c.isspace() or c in ",;<>" for c in address):
        raise InvalidRequest(field, f"{address[:80]!r} is not an email address")


def _batch_result(envelope: Envelope) -> BatchEmailResult:
    """`taskId` at the top level; in `data`, as other families have it, is accepted too."""
    data = envelope.body.get("data")
    inner = data.get("taskId") if isinstance(data, dict) else data
    return BatchEmailResult(text(envelope.body.get("taskId")) or text(inner))


_SUBMITTED = ("success", "succeed", "succeeded", "successful", "成功", "提交成功", "0")
_FAILED = ("fail", "failed", "failure", "error", "失败", "提交失败", "1")
_STATES = dict.fromkeys(_SUBMITTED, SubmissionState.SUBMITTED) | dict.fromkeys(_FAILED, SubmissionState.FAILED)


def _submission(row: dict[str, Any]) -> EmailSubmission:
    email_id, to_address = text(row.get("emailId")), text(row.get("toAddress"))
    if not (email_id or to_address):
        raise MalformedRecord("a mail without emailId and toAddress")
    raw = text(row.get("emailState"))
    return EmailSubmission(
        task_id=text(row.get("taskId")),
        email_id=email_id,
        to_address=to_address,
        state=_STATES.get(raw.lower(), SubmissionState.UNKNOWN),
        raw_state=raw,
        remark=text(row.get("remark")),
    )


def _choices(envelope: Envelope, interface: str, read: Callable[[dict[str, Any]], T]) -> Offered[T]:
    """Rows of a look-up: `receiverData` is printed for one, so any list will do, at the top or in `data`, unless there
    are several of which none has a name that such a list has."""
    rows = _list_in(envelope.body)
    if rows is None:
        raise OutcomeUnknown("the answer holds no list", interface=interface)
    as_rows = [row if isinstance(row, dict) else {"value": row} for row in rows]
    records, problems = pages.read_rows(as_rows, read)
    found = Offered(records)
    found.unreadable = len(problems)
    return found


_NAMES = ("receiverData", "templateData", "emailAddressData", "data", "array", "records", "rows", "list")


def _list_in(body: Mapping[str, Any]) -> list[Any] | None:
    found = {name: value for name, value in body.items() if isinstance(value, list)}
    if named := next((name for name in _NAMES if name in found), ""):
        return found[named]
    data = body.get("data")
    if isinstance(data, dict) and (rows := _list_in(data)) is not None:
        return rows
    return next(iter(found.values())) if len(found) == 1 else None


def _template(row: dict[str, Any]) -> EmailTemplate:
    return EmailTemplate(
        template_id=_id(row, "templateID", "templateId", "id"),
        name=_first(row, "templateName", "name"),
        subject=_first(row, "subject", "templateSubject"),
        language=_first(row, "language", "lan"),
        status=_first(row, "templateStatus", "status"),
    )


def _address(row: dict[str, Any]) -> str:
    return _id(row, "fromEmailAddress", "emailAddress", "email", "address", "value")


def _first(row: dict[str, Any], *names: str) -> str:
    return next((said for name in names if (said := text(row.get(name)))), "")


def _id(row: dict[str, Any], *names: str) -> str:
    if found := _first(row, *names):
        return found
    raise MalformedRecord(f"without {names[0]}")

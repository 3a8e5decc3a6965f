"""The Laaffic API in Python. Knows HTTP; knows no Django, no database."""

from laaffic_console.laaffic.client import Balance, LaafficClient, sent_record_windows
from laaffic_console.laaffic.codes import CodeEntry, DeliveryState, Family, Remedy, Source, lookup
from laaffic_console.laaffic.email import (
    AdFlag,
    BatchEmailResult,
    EmailApi,
    EmailBatch,
    EmailDeliveries,
    EmailDelivery,
    EmailSubmission,
    EmailTemplate,
    ParsedEmailCallback,
    RecipientList,
    SendEmailResult,
    SubmissionState,
    parse_email_callbacks,
)
from laaffic_console.laaffic.errors import InvalidRequest, LaafficError, NotSent, OutcomeUnknown, Refused
from laaffic_console.laaffic.mms import MmsApi
from laaffic_console.laaffic.numbers import (
    Binding,
    BindingKind,
    NewBinding,
    NumberPool,
    NumbersApi,
    NumberState,
    OwnedNumber,
)
from laaffic_console.laaffic.pages import Page
from laaffic_console.laaffic.pushes import ParsedPush, parse_sms_reports
from laaffic_console.laaffic.replies import ParsedReplies, RepliesApi, Reply, parse_sms_replies, reply_windows
from laaffic_console.laaffic.reports import DeliveryReport
from laaffic_console.laaffic.sms import ReportPage, SendResult, SmsItem
from laaffic_console.laaffic.transport import Transport

__all__ = [
    "AdFlag",
    "Balance",
    "BatchEmailResult",
    "Binding",
    "BindingKind",
    "CodeEntry",
    "DeliveryReport",
    "DeliveryState",
    "EmailApi",
    "EmailBatch",
    "EmailDeliveries",
    "EmailDelivery",
    "EmailSubmission",
    "EmailTemplate",
    "Family",
    "InvalidRequest",
    "LaafficClient",
    "LaafficError",
    "MmsApi",
    "NewBinding",
    "NotSent",
    "NumberPool",
    "NumberState",
    "NumbersApi",
    "OutcomeUnknown",
    "OwnedNumber",
    "Page",
    "ParsedEmailCallback",
    "ParsedPush",
    "ParsedReplies",
    "RecipientList",
    "Refused",
    "Remedy",
    "RepliesApi",
    "Reply",
    "ReportPage",
    "SendEmailResult",
    "SendResult",
    "SmsItem",
    "Source",
    "SubmissionState",
    "Transport",
    "lookup",
    "parse_email_callbacks",
    "parse_sms_replies",
    "parse_sms_reports",
    "reply_windows",
    "sent_record_windows",
]

"""The Laaffic API in Python. Knows HTTP; knows no Django, no database."""

from laaffic_console.laaffic.client import Balance, LaafficClient, sent_record_windows
from laaffic_console.laaffic.codes import CodeEntry, DeliveryState, Family, Remedy, Source, lookup
from laaffic_console.laaffic.errors import InvalidRequest, LaafficError, NotSent, OutcomeUnknown, Refused
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
from laaffic_console.laaffic.reports import DeliveryReport
from laaffic_console.laaffic.sms import ReportPage, SendResult, SmsItem
from laaffic_console.laaffic.transport import Transport

__all__ = [
    "Balance",
    "Binding",
    "BindingKind",
    "CodeEntry",
    "DeliveryReport",
    "DeliveryState",
    "Family",
    "InvalidRequest",
    "LaafficClient",
    "LaafficError",
    "NewBinding",
    "NotSent",
    "NumberPool",
    "NumberState",
    "NumbersApi",
    "OutcomeUnknown",
    "OwnedNumber",
    "Page",
    "ParsedPush",
    "Refused",
    "Remedy",
    "ReportPage",
    "SendResult",
    "SmsItem",
    "Source",
    "Transport",
    "lookup",
    "parse_sms_reports",
    "sent_record_windows",
]

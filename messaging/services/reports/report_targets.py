"""Which message a delivery report is about, and whether it can be about that message at all."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.laaffic import DeliveryReport, Source
from messaging import msisdn
from messaging.models import Message
from messaging.services.batches import answers, earlier_attempts
from messaging.services.reports.reported_rows import Row
from messaging.subscribers import every_spelling, subscriber
from messaging.wire import gateway_ids, order_ids

PUSHED = frozenset({Source.PUSH, Source.VOICE_PUSH})  # nothing proves where these come from (laaffic-api#pushes)


def with_kept_ids(reports: Sequence[DeliveryReport]) -> Sequence[DeliveryReport]:
    if all(len(report.msg_id) <= gateway_ids.LENGTH for report in reports):
        return reports
    return [report._replace(msg_id=gateway_ids.kept(report.msg_id)) for report in reports]


Target = tuple[int, int | None, bool]  # message, its attempt where the report says it, found by an earlier one's id


def targets_of(reports: Sequence[DeliveryReport]) -> tuple[list[Target | None], dict[int, int]]:
    """The message each report is about: by its orderId, which is made from the message's key, else by gateway id.

    And {message: its batch} of those whose rows have been seen for that.
    """
    prefix = settings.LAAFFIC_ORDER_PREFIX
    named = [order_ids.read(prefix, report.order_id) for report in reports]
    missing = [report for report, name in zip(reports, named, strict=True) if name is None and report.msg_id]
    by_gateway_id: dict[str, int] = {}
    batch_of: dict[int, int] = {}
    if missing:
        rows = _with_gateway_ids.rows(ids=sorted({report.msg_id for report in missing}))
        by_gateway_id = {gateway_id: pk for gateway_id, pk, _batch_id in rows}
        batch_of = {pk: batch_id for _gateway_id, pk, batch_id in rows}
        by_gateway_id |= _not_on_rows_yet(missing)
    earlier = earlier_attempts.by_gateway_id({r.msg_id for r in missing if r.msg_id not in by_gateway_id})
    targets: list[Target | None] = [
        (*name, False) if name is not None else _by_id(report, by_gateway_id, earlier)
        for report, name in zip(reports, named, strict=True)
    ]
    return targets, batch_of


@Select
def _with_gateway_ids() -> "QuerySet[Message, Any]":
    found = Message.objects.filter(gateway_id__among=Given("ids")).order_by()
    return found.values_list("gateway_id", "pk", "batch_id")


def _by_id(report: DeliveryReport, last: Mapping[str, int], earlier: Mapping[str, tuple[int, int]]) -> Target | None:
    if report.msg_id in last:
        return last[report.msg_id], None, False
    return (*earlier[report.msg_id], True) if report.msg_id in earlier else None


def _not_on_rows_yet(reports: Sequence[DeliveryReport]) -> dict[str, int]:
    """{gateway id: message} where an answer is not on its rows yet: found by number, chosen by the id itself."""
    if not answers.anything_waiting():
        return {}
    numbers = every_spelling(sorted({report.number.lstrip("+") for report in reports}))
    batch_of = dict(_answered_to.rows(numbers=numbers))
    told = answers.overlay(set(batch_of.values()))
    return {gateway_id: pk for pk in batch_of if pk in told and (gateway_id := told[pk].gateway_id)}


@Select
def _answered_to() -> "QuerySet[Message, Any]":
    answered = Message.objects.filter(number__among=Given("numbers"), batch__answer__isnull=False)
    return answered.order_by().values_list("pk", "batch_id")


def is_about(report: DeliveryReport, row: Row, *, by_id: bool = False) -> bool:
    """The number must be the message's own: an orderId can be guessed, and another installation's may hit one of ours.

    The gateway's own id cannot: beside it the number may lack its country code, or be missing.
    """
    said = report.number.lstrip("+")
    if said and (said == row.number or subscriber(said) == subscriber(row.number)):
        return True
    if by_id or (report.msg_id and report.msg_id == row.gateway_id):
        return not said or _is_national(said, row.number)
    return not said and report.source not in PUSHED


def _is_national(said: str, number: str) -> bool:
    """Whether it is this number without its country code: with or without the zero before it."""
    bare = said.lstrip("0")
    return len(bare) >= msisdn.SHORTEST_NATIONAL and number.endswith(bare)


def contradiction(report: DeliveryReport) -> str:
    """Why a report that names one of our messages is not about it, in words; "" where it does not name one."""
    pk = order_ids.message_id_of(settings.LAAFFIC_ORDER_PREFIX, report.order_id)
    number = Message.objects.filter(pk=pk).values_list("number", flat=True).first() if pk is not None else None
    if number is None or report.number.lstrip("+") == number:
        return ""
    if not report.number:
        return _("It names the order id of a message and no number, so it moves nothing.")
    return _("It names the order id of a message to another number, so it moves nothing. Was it forged?")

"""Which message a delivery report is about, and whether it can be about that message at all."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import EvidenceKind
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.laaffic import DeliveryReport, Source
from messaging import msisdn
from messaging.models import Batch, Campaign, Message
from messaging.services.batches import answers, earlier_attempts
from messaging.services.reports.reported_rows import Row
from messaging.subscribers import every_spelling, subscriber
from messaging.wire import gateway_ids, order_ids

PUSHED = frozenset({Source.PUSH, Source.VOICE_PUSH})  # nothing proves where these come from (laaffic-api#pushes)

BY_NUMBER_AND_TIME = " by number and time"  # how a message was found, in its evidence


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


def app_ids(campaign_ids: set[int]) -> dict[int, str]:
    """{campaign: the appId that its messages were sent with}"""
    return dict(_app_ids.rows(ids=sorted(campaign_ids)))


@Select
def _app_ids() -> "QuerySet[Campaign, Any]":
    return Campaign.objects.filter(pk__among=Given("ids")).order_by().values_list("pk", "application__app_id")


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
    if said and _is_same(said, row.number):
        return True
    if by_id or (report.msg_id and report.msg_id == row.gateway_id):
        return not said or _is_national(said, row.number)
    return not said and report.source not in PUSHED


def _is_same(said: str, number: str) -> bool:
    return said == number or subscriber(said) == subscriber(number)


def _is_national(said: str, number: str) -> bool:
    """Whether it is this number without its country code: with or without the zero before it."""
    bare = said.lstrip("0")
    return len(bare) >= msisdn.SHORTEST_NATIONAL and number.endswith(bare)


def is_of_another_application(report: DeliveryReport, app_id: str) -> bool:
    """Whether a push says that it is another application's: another console may have our order prefix and keys."""
    is_told = report.source in PUSHED and report.app_id
    return bool(is_told) and report.app_id.casefold() != app_id.casefold()


def is_about_another_id(report: DeliveryReport, row: Row, attempt: int | None) -> bool:
    """Whether a push names a sending by our order id to which Laaffic's answer gave another id.

    An id that another push has taught, or that was found by number and time, proves no more than this push does. And
    not of a call: each of its tries has an id, and the last one's comes.
    """
    if report.source is not Source.PUSH or not report.msg_id or attempt is None:
        return False
    is_earlier = attempt < row.attempt
    known = earlier_attempts.gateway_id_of(row.pk, attempt) if is_earlier else row.gateway_id
    if not known or known == report.msg_id:
        return False
    return _is_answered_late(row.campaign_id) if is_earlier else _is_answered(row.batch_id)


def _is_answered(batch_id: int) -> bool:
    return Batch.objects.filter(pk=batch_id, entry__evidence_kind=EvidenceKind.ANSWER).exists()


def _is_answered_late(campaign_id: int) -> bool:
    return ledger.requests_about("campaign", campaign_id).filter(evidence_kind=EvidenceKind.LATE_ANSWER).exists()


def contradiction(report: DeliveryReport) -> str:
    """Why a report that names one of our messages is not about it, in words; "" where it does not name one."""
    named = order_ids.read(settings.LAAFFIC_ORDER_PREFIX, report.order_id)
    known = Message.objects.select_related("campaign__application")
    of_it = known.filter(pk=named[0]) if named else known.filter(gateway_id=report.msg_id or None)
    if (message := next(iter(of_it.order_by()[:1]), None)) is None:  # ordered, it may go by the key of them all
        return ""
    if named and not report.number:
        return _("It names the order id of a message and no number, so it moves nothing.")
    if named and not _is_same(report.number.lstrip("+"), message.number):
        return _("It names the order id of a message to another number, so it moves nothing. Was it forged?")
    if is_of_another_application(report, message.campaign.application.app_id):
        return _(
            "It names a message of another application, so it moves nothing. Does another console use the same "
            "LAAFFIC_ORDER_PREFIX?"
        )
    own_id = _own_id(message, named[1]) if named else ""
    if own_id and report.msg_id not in ("", own_id):
        return _(
            "It names the order id of a message that has another id at Laaffic, so it moves nothing. Does another "
            "console use the same LAAFFIC_ORDER_PREFIX?"
        )
    return ""


def _own_id(message: Message, attempt: int) -> str | None:
    """The gateway id that an answer gave to that sending, also where it is not on its row yet."""
    if attempt < message.attempt:
        is_answered = _is_answered_late(message.campaign_id)
        return earlier_attempts.gateway_id_of(message.pk, attempt) if is_answered else None
    if message.batch_id is None or not _is_answered(message.batch_id):
        return None
    told = answers.overlay({message.batch_id}).get(message.pk)
    return message.gateway_id or (told.gateway_id if told else None)

"""Sendings before the last: a person had the message sent again, and then something was heard of an earlier sending.

Each has a row of its own, so that a second payment can be derived. Only a delivery moves the message: a person who has
it does not get it again. That the first failed, or is on its way, says nothing about the later sending.
"""

from collections.abc import Collection, Mapping

from django.utils import timezone

from messaging.models import EarlierAttempt, MessageEvent, MessageState
from messaging.services.tallies.tally_writes import Outcome, count_outcomes
from messaging.wire import gateway_ids

SOURCE = "an earlier attempt"


def by_gateway_id(msg_ids: Collection[str]) -> dict[str, tuple[int, int]]:
    """{gateway id: (message, attempt)}"""
    if not msg_ids:
        return {}
    known = EarlierAttempt.objects.filter(gateway_id__in=msg_ids)
    return {msg_id: (pk, attempt) for msg_id, pk, attempt in known.values_list("gateway_id", "message_id", "attempt")}


def gateway_id_of(pk: int, attempt: int) -> str | None:
    return EarlierAttempt.objects.filter(message_id=pk, attempt=attempt).values_list("gateway_id", flat=True).first()


def keep_accepted(given: Mapping[int, str], attempts: Mapping[int, int]) -> None:
    """A late answer: {message: gateway id} of a sending that was given up; under their batch's lock."""
    EarlierAttempt.objects.bulk_create(
        (
            EarlierAttempt(
                message_id=pk, attempt=attempts[pk], gateway_id=gateway_ids.kept(msg_id), state=MessageState.ACCEPTED
            )
            for pk, msg_id in given.items()
        ),
        ignore_conflicts=True,
        batch_size=200,
    )
    tell({pk: f"attempt {attempts[pk]} was accepted after all: {msg_id}" for pk, msg_id in given.items()}, SOURCE)


def keep_report(pk: int, attempt: int, state: MessageState, msg_id: str) -> EarlierAttempt:
    """The attempt's row with what a report says of it; the better report stays. Its message's batch is locked."""
    kept, _made = EarlierAttempt.objects.get_or_create(message_id=pk, attempt=attempt)
    kept.gateway_id = kept.gateway_id or msg_id
    kept.state = max(kept.state, state)
    kept.save(update_fields=["gateway_id", "state"])
    return kept


def keep_price(
    kept: EarlierAttempt,
    *,
    campaign_id: int,
    country: str,
    micros: int,
    currency: str,
    segments: int,
    told_with: tuple[int, bool],
) -> None:
    """What the attempt cost counts for the campaign beside what its message's last attempt costs.

    `told_with`: the state in the report that tells it, and whether that is Laaffic's own word. An amount that was told
    before no longer counts.
    """
    moves: dict[Outcome, tuple[int, int, int]] = {}
    if kept.pay_micros is not None:
        moves[key_of(country, kept.currency)] = (0, -(kept.billed_segments or 0), -kept.pay_micros)
    kept.pay_micros, kept.currency, kept.billed_segments = micros, currency, min(segments, 32767)
    kept.told_with, kept.told_by_laaffic = told_with
    kept.save(update_fields=["pay_micros", "currency", "billed_segments", "told_with", "told_by_laaffic"])
    _n, billed, paid = moves.get(key := key_of(country, currency), (0, 0, 0))
    moves[key] = (0, billed + kept.billed_segments, paid + micros)
    count_outcomes(campaign_id, moves)


def key_of(country: str, currency: str) -> Outcome:
    """The outcome under which money without a message is counted."""
    return country, int(MessageState.EXPIRED), "", currency


def costs_of(campaign_id: int) -> list[tuple[str, str, int, int]]:
    """(country, currency, segments, micros) of each that was billed."""
    paid = EarlierAttempt.objects.filter(message__campaign_id=campaign_id).exclude(pay_micros=None)
    columns = paid.values_list("message__country", "currency", "billed_segments", "pay_micros")
    return [(country, currency, segments or 0, micros or 0) for country, currency, segments, micros in columns]


def tell(said: Mapping[int, str], source: str) -> None:
    now = timezone.now()
    MessageEvent.objects.bulk_create(
        (MessageEvent(message_id=pk, at=now, source=source[:40], text=text[:300]) for pk, text in said.items()),
        batch_size=500,
    )

"""Record, call, settle (laws#record-call-settle): the only way in which a request that acts leaves the console.

call = prepare(...)       in the claim's transaction: nothing has left
if depart(call): POST     committed before the first byte
settle(call, ...)         what came of it, by the outcome's three branches
"""

import datetime as dt
import hashlib
import time
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import Application, CallState, GatewayCall
from laaffic_console.gateway.services import account_hold, clock
from laaffic_console.gateway.services.durability import durable
from laaffic_console.laaffic import LaafficError, NotSent, OutcomeUnknown, Refused

# A request leaves within this time after its row says so, or not at all.
LEAVES_WITHIN = dt.timedelta(seconds=5)


def digest_of(*parts: str) -> str:
    """A fingerprint of what was asked for: the same request has the same one, and it gives nothing away."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.encode())
        sha.update(b"\0")
    return sha.hexdigest()


def prepare(
    *,
    interface: str,
    application: Application | None,
    about_kind: str,
    about_id: int | None,
    summary: dict[str, Any],
    digest: str = "",
    attempt: int = 1,
    worker: str = "",
    requested_by: User | None = None,
) -> GatewayCall:
    call = GatewayCall(
        interface=interface,
        application=application,
        about_kind=about_kind,
        about_id=about_id,
        summary=summary,
        digest=digest,
        attempt=attempt,
        worker=worker,
        requested_by=requested_by,
    )
    return prepare_all([call])[0]


def prepare_all(calls: Sequence[GatewayCall]) -> list[GatewayCall]:
    """Several records in one statement."""
    now = timezone.now()
    for call in calls:
        call.prepared_at = now
    return GatewayCall.objects.bulk_create(calls)


def depart(call_id: int, *, provided: Q | Exists | None = None, unless_held: bool = False) -> dt.datetime | None:
    """Commit that the request is about to leave; None when it must not: someone has taken the call away.

    In the same statement `provided` must hold, and with `unless_held` nothing may hold the account.
    """
    now = timezone.now()
    departed = GatewayCall.objects.filter(pk=call_id, state=CallState.PREPARED)
    if provided is not None:
        departed = departed.filter(provided)
    if unless_held:
        departed = departed.filter(account_hold.may_go_on())
    with durable():
        departure = {"left_at": now, "clock_ahead": round(clock.possibly_ahead(), 1)}
        return now if departed.update(state=CallState.IN_FLIGHT, **departure) == 1 else None


def must_leave(began: float, interface: str) -> None:
    """Between the commit that says so and the request: NotSent for a process that stood still there (monotonic time).

    Whoever wakes later may find that its call was given up for lost meanwhile, and that what it was about was sent
    again by another.
    """
    if time.monotonic() - began > LEAVES_WITHIN.total_seconds():
        raise NotSent("this process stood still just before the request left", interface=interface)


def settle_accepted(call_id: int, *, evidence: str = "the answer") -> bool:
    return _settle(call_id, CallState.ACCEPTED, code="0", reason="success", http_status=200, evidence=evidence)


def settle_all_accepted(call_ids: Sequence[int]) -> int:
    """Several at once; how many of them were open."""
    return _update_open(
        call_ids, CallState.ACCEPTED, code="0", reason="success", http_status=200, evidence="the answer"
    )


def settle_error(call_id: int, error: LaafficError) -> bool:
    """Write a failed call's outcome on its row; False when it was settled already."""
    return _settle(call_id, state_of(error), **evidence_of(error))


def settle_by_evidence(
    call_id: int, state: CallState, *, evidence: str, provided: Sequence[CallState] = (CallState.UNKNOWN,)
) -> bool:
    """Settle a call by what was found out later; False when it is in none of the states `provided` any more."""
    settled = GatewayCall.objects.filter(pk=call_id, state__in=provided)
    return settled.update(state=state, settled_at=timezone.now(), evidence=evidence[:300]) == 1


def lapse(call_id: int, *, evidence: str) -> bool:
    """Nobody will ever know, and nothing hangs on it any more: the end of what is unknown."""
    return settle_by_evidence(call_id, CallState.LAPSED, evidence=evidence)


def take_back(calls: "QuerySet[GatewayCall]", why: str) -> int:
    """Those that have not left never will; how many. One that leaves at this moment is not among them."""
    return _end(calls.filter(state=CallState.PREPARED), CallState.NOT_SENT, why)


def lose(calls: "QuerySet[GatewayCall]", why: str) -> int:
    """No answer is waited for any more: those in flight are unknown; how many. One that was answered is not."""
    return _end(calls.filter(state=CallState.IN_FLIGHT), CallState.UNKNOWN, why)


def only(call_id: int) -> "QuerySet[GatewayCall]":
    return GatewayCall.objects.filter(pk=call_id)


def _end(calls: "QuerySet[GatewayCall]", state: CallState, why: str) -> int:
    return calls.update(state=state, settled_at=timezone.now(), reason=why[:300], evidence=why[:300])


def state_of(error: LaafficError) -> CallState:
    match error:
        case NotSent():
            return CallState.NOT_SENT
        case Refused():
            return CallState.REFUSED
        case OutcomeUnknown():
            return CallState.UNKNOWN
    raise TypeError(f"no branch for {type(error).__name__}") from error


def evidence_of(error: LaafficError) -> dict[str, Any]:
    return {
        "code": str(error.code or "")[:16],
        "reason": error.message[:300],
        "http_status": getattr(error, "http_status", None),
        "evidence": str(error)[:300],
    }


def _settle(call_id: int, state: CallState, **outcome: Any) -> bool:
    return _update_open([call_id], state, **outcome) == 1


def _update_open(call_ids: Sequence[int], state: CallState, **outcome: Any) -> int:
    # An answer that comes after its worker was given up for dead is the best evidence there is: unknown may still end.
    open_states = [CallState.PREPARED, CallState.IN_FLIGHT, CallState.UNKNOWN, CallState.LAPSED]
    unsettled = GatewayCall.objects.filter(pk__in=call_ids, state__in=open_states)
    return unsettled.update(state=state, settled_at=timezone.now(), **outcome)

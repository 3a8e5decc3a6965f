"""Record, then call, then settle, for calls made one at a time, while a person waits for the answer."""

from collections.abc import Callable
from typing import TypeVar

from django.utils.translation import gettext as _

from laaffic_console.gateway.models import GatewayCall
from laaffic_console.gateway.services import account_hold, ledger
from laaffic_console.gateway.services.account import NotConfigured
from laaffic_console.laaffic import InvalidRequest, LaafficError, NotSent, Refused

Answer = TypeVar("Answer")


def perform(call: GatewayCall, request: Callable[[], Answer]) -> Answer:
    """Let a prepared call leave. A failure is written on its row and raised; the caller settles what was accepted.

    Called outside any transaction: what was prepared must be committed before a byte leaves (DESIGN §1.1).
    """
    if ledger.depart(call.pk, unless_held=True) is None:
        held_back = NotSent(_why_not(call), interface=call.interface)
        ledger.settle_error(call.pk, held_back)
        raise held_back
    try:
        return request()
    except LaafficError as problem:
        ledger.settle_error(call.pk, problem)
        if isinstance(problem, Refused) and problem.calls_for in account_hold.HOLDING:
            account_hold.place(problem, call_id=call.pk)
        raise
    except (InvalidRequest, NotConfigured) as problem:
        never_left = NotSent(str(problem), interface=call.interface)
        ledger.settle_error(call.pk, never_left)
        raise never_left from problem


def _why_not(call: GatewayCall) -> str:
    hold = account_hold.open_holds(call.application_id or 0).order_by("id").first()
    return hold.sentence if hold else _("it was taken back before it left")

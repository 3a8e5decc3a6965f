"""A call made while a person waits: whatever comes of it, its row says so."""

from collections.abc import Callable
from typing import Any

import pytest

from laaffic_console.gateway.models import CallState, GatewayCall
from laaffic_console.gateway.services import account_hold, ledger, performing
from laaffic_console.gateway.services.account import NotConfigured
from laaffic_console.laaffic import Family, InvalidRequest, LaafficError, NotSent, OutcomeUnknown, Refused, lookup

pytestmark = pytest.mark.django_db(transaction=True)


def prepared() -> GatewayCall:
    return ledger.prepare(interface="mmsUpload", application=None, about_kind="test", about_id=1, summary={})


def refusal(code: str) -> Refused:
    return Refused(interface="mmsUpload", entry=lookup(Family.SMS, code), reason="no", http_status=200)


def raising(problem: Exception) -> Callable[[], Any]:
    def request() -> Any:
        raise problem

    return request


@pytest.mark.parametrize(
    ("problem", "raised", "state"),
    [
        (NotSent("refused connection", interface="x"), NotSent, CallState.NOT_SENT),
        (refusal("-22"), Refused, CallState.REFUSED),
        (OutcomeUnknown("no answer", interface="x"), OutcomeUnknown, CallState.UNKNOWN),
        (InvalidRequest("fileData", "too large"), NotSent, CallState.NOT_SENT),
        (NotConfigured("no key"), NotSent, CallState.NOT_SENT),
        (KeyError("data"), OutcomeUnknown, CallState.UNKNOWN),
        (RuntimeError("a bug"), OutcomeUnknown, CallState.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_no_branch_leaves_a_call_in_flight(problem: Exception, raised: type[LaafficError], state: CallState) -> None:
    call = prepared()

    with pytest.raises(raised):
        performing.perform(call, raising(problem))

    assert GatewayCall.objects.get().state == state
    assert GatewayCall.objects.get().settled_at is not None


def test_what_is_accepted_is_for_the_caller_to_settle() -> None:
    call = prepared()

    assert performing.perform(call, lambda: "id") == "id"

    kept = GatewayCall.objects.get()
    assert (kept.state, kept.left_at) == (CallState.IN_FLIGHT, call.left_at)


def test_a_refusal_about_the_account_holds_it_and_the_next_call_stays_here() -> None:
    with pytest.raises(Refused):
        performing.perform(prepared(), raising(refusal("-1")))
    second = prepared()

    with pytest.raises(performing.HeldBack, match="-1"):
        performing.perform(second, lambda: pytest.fail("it left"))

    assert account_hold.open_holds(0).count() == 1
    assert GatewayCall.objects.get(pk=second.pk).state == CallState.NOT_SENT


def test_a_call_that_somebody_else_let_leave_is_not_called_not_sent() -> None:
    call = prepared()
    ledger.depart(call.pk)

    with pytest.raises(performing.HeldBack):
        performing.perform(call, lambda: pytest.fail("it left twice"))

    assert GatewayCall.objects.get().state == CallState.IN_FLIGHT

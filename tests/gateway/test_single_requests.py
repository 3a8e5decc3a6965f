"""A call made while a person waits: whatever comes of it, its row says so."""

from collections.abc import Callable
from typing import Any

import pytest

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client.account import NotConfigured
from laaffic_console.gateway.services.ledger import ledger, single_requests
from laaffic_console.kit.process.interrupts import LeftUnknown
from laaffic_console.laaffic import Family, InvalidRequest, LaafficError, NotSent, OutcomeUnknown, Refused, lookup
from tests.losing_departures import lose_departures

pytestmark = pytest.mark.django_db(transaction=True)


def prepared() -> LedgerEntry:
    return ledger.prepare(interface="mmsUpload", application=None, about_kind="test", about_id=1, summary={})


def refusal(code: str) -> Refused:
    return Refused(interface="mmsUpload", entry=lookup(Family.SMS, code), reason="no", http_status=200)


def raising(problem: BaseException) -> Callable[[], Any]:
    def request() -> Any:
        raise problem

    return request


@pytest.mark.parametrize(
    ("problem", "raised", "state"),
    [
        (NotSent("refused connection", interface="x"), NotSent, EntryState.NOT_SENT),
        (refusal("-22"), Refused, EntryState.REFUSED),
        (OutcomeUnknown("no answer", interface="x"), OutcomeUnknown, EntryState.UNKNOWN),
        (InvalidRequest("fileData", "too large"), NotSent, EntryState.NOT_SENT),
        (NotConfigured("no key"), NotSent, EntryState.NOT_SENT),
        (KeyError("data"), OutcomeUnknown, EntryState.UNKNOWN),
        (RuntimeError("a bug"), OutcomeUnknown, EntryState.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_no_branch_leaves_a_call_in_flight(problem: Exception, raised: type[LaafficError], state: EntryState) -> None:
    entry = prepared()

    with pytest.raises(raised):
        single_requests.send(entry, raising(problem))

    assert LedgerEntry.objects.get().state == state
    assert LedgerEntry.objects.get().settled_at is not None


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_departure_lost_with_the_database_is_not_sent(monkeypatch: pytest.MonkeyPatch, is_committed: bool) -> None:
    entry = prepared()
    lose_departures(monkeypatch, is_committed=is_committed)
    asked = []

    with pytest.raises(NotSent, match="the database was away"):
        single_requests.send(entry, lambda: asked.append(1))

    assert (LedgerEntry.objects.get().state, asked) == (EntryState.NOT_SENT, [])


def test_what_is_interrupted_is_left_to_the_sweep_and_said() -> None:
    """As of a process that died: with the row all that hangs on it is given up, which knows more than this call."""
    entry = prepared()

    with pytest.raises(LeftUnknown, match=f"it is not known whether it was done. Ledger row {entry.pk} "):
        single_requests.send(entry, raising(KeyboardInterrupt()))

    assert LedgerEntry.objects.get().state == EntryState.IN_FLIGHT


def test_what_is_accepted_is_for_the_caller_to_settle() -> None:
    entry = prepared()

    assert single_requests.send(entry, lambda: "id") == "id"

    kept = LedgerEntry.objects.get()
    assert (kept.state, kept.left_at) == (EntryState.IN_FLIGHT, entry.left_at)


def test_a_refusal_about_the_account_holds_it_and_the_next_call_stays_here() -> None:
    with pytest.raises(Refused):
        single_requests.send(prepared(), raising(refusal("-1")))
    second = prepared()

    with pytest.raises(single_requests.HeldBack, match="-1"):
        single_requests.send(second, lambda: pytest.fail("it left"))

    assert account_hold.open_holds(0).count() == 1
    assert LedgerEntry.objects.get(pk=second.pk).state == EntryState.NOT_SENT


def test_a_call_that_somebody_else_let_leave_is_not_called_not_sent() -> None:
    entry = prepared()
    ledger.depart(entry.pk)

    with pytest.raises(single_requests.HeldBack):
        single_requests.send(entry, lambda: pytest.fail("it left twice"))

    assert LedgerEntry.objects.get().state == EntryState.IN_FLIGHT

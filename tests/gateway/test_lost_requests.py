"""Calls whose process died, and one that only looked dead: it leaves, or is answered, while it is being judged."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger, lost_requests
from messaging.services.email import trial_emails
from messaging.services.mms import attachments
from phone_numbers.services import lost_requests as numbers_lost_calls
from voice.services.calls import sip_calls as voice_calls

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = dt.timedelta(minutes=10)

SWEEPS: list[tuple[str, str, Callable[[], object]]] = [
    ("SIP call", "voice/sendSip", voice_calls.recover),
    ("audio file", "voice/fileUpload", voice_calls.recover),
    ("group task", "voice/group/call/send", voice_calls.recover),
    ("email campaign", "email/sendEmail", trial_emails.sweep),
    ("MMS attachment", "mmsUpload", attachments.sweep),
    ("binding request", "number/pns/bind", numbers_lost_calls.recover),
    ("number pool", "number/editNumberPool", numbers_lost_calls.recover),
]
every_sweep = pytest.mark.parametrize(("kind", "interface", "sweep"), SWEEPS, ids=[row[0] for row in SWEEPS])


def entry(kind: str, interface: str, state: EntryState, age: dt.timedelta = LONG_AGO) -> LedgerEntry:
    then = timezone.now() - age
    left_at = then if state is EntryState.IN_FLIGHT else None
    return LedgerEntry.objects.create(
        interface=interface, about_kind=kind, about_id=1, summary={}, state=state, prepared_at=then, left_at=left_at
    )


def state_of(made: LedgerEntry) -> str:
    return LedgerEntry.objects.get(pk=made.pk).state


@contextlib.contextmanager
def just_before_the_write(act: Callable[[], object]) -> Iterator[None]:
    """Between a sweep's look, where it has one, and the first statement that changes the ledger."""
    done = []

    def interleave(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if not done and sql.startswith("UPDATE") and LedgerEntry._meta.db_table in sql:
            done.append(sql)
            act()
        return execute(sql, *args)

    with connection.execute_wrapper(interleave):
        yield
    assert done


@every_sweep
class SweepTests:
    def test_what_never_left_is_not_sent_and_what_left_is_unknown(
        self, kind: str, interface: str, sweep: Callable[[], object]
    ) -> None:
        made = [entry(kind, interface, state) for state in (EntryState.PREPARED, EntryState.IN_FLIGHT)]

        sweep()

        assert [state_of(each) for each in made] == [EntryState.NOT_SENT, EntryState.UNKNOWN]

    def test_one_that_leaves_while_it_is_judged_is_in_flight(
        self, kind: str, interface: str, sweep: Callable[[], object]
    ) -> None:
        made = entry(kind, interface, EntryState.PREPARED)

        with just_before_the_write(lambda: ledger.depart(made.pk)):
            sweep()

        assert state_of(made) == EntryState.IN_FLIGHT

    def test_one_that_is_answered_while_it_is_judged_keeps_its_answer(
        self, kind: str, interface: str, sweep: Callable[[], object]
    ) -> None:
        made = entry(kind, interface, EntryState.IN_FLIGHT)

        with just_before_the_write(lambda: ledger.settle_accepted(made.pk)):
            sweep()

        assert state_of(made) == EntryState.ACCEPTED

    def test_a_young_one_is_somebodys(self, kind: str, interface: str, sweep: Callable[[], object]) -> None:
        young = [
            entry(kind, interface, state, dt.timedelta(seconds=5))
            for state in (EntryState.PREPARED, EntryState.IN_FLIGHT)
        ]
        waited_long = entry(kind, interface, EntryState.PREPARED)
        LedgerEntry.objects.filter(pk=waited_long.pk).update(state=EntryState.IN_FLIGHT, left_at=timezone.now())

        sweep()

        assert [state_of(each) for each in [*young, waited_long]] == ["prepared", "in_flight", "in_flight"]


@every_sweep
@pytest.mark.parametrize(("state", "ends"), [(EntryState.PREPARED, "not_sent"), (EntryState.IN_FLIGHT, "unknown")])
def test_what_a_clock_that_was_wrong_dated_ahead_is_given_up_too(
    kind: str, interface: str, sweep: Callable[[], object], state: EntryState, ends: str
) -> None:
    dated_ahead = entry(kind, interface, state, -dt.timedelta(days=1))

    sweep()

    assert state_of(dated_ahead) == ends


def test_it_waits_longer_than_an_answer_may_take(settings: Any) -> None:
    assert lost_requests.LOST_AFTER.total_seconds() > sum(settings.LAAFFIC_TIMEOUTS)

"""Record, then send, then settle, for requests made one at a time, while a person waits for the answer."""

import functools
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client.account import NotConfigured
from laaffic_console.gateway.services.database.perseverance import insist
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.process.interrupts import LeftUnknown
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import InvalidRequest, LaafficError, NotSent, OutcomeUnknown, Refused

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

PATIENCE = 10.0  # seconds that a person waits for a database that has just gone away


class HeldBack(NotSent):
    """The account is held, or somebody took the request back; the message is a sentence for people."""


def send(entry: LedgerEntry, request: Callable[[], Answer]) -> Answer:
    """Let a prepared request leave, at `entry.left_at`. A failure is written on its entry and raised as a LaafficError,
    one of our own making too: no branch leaves a request in flight. The caller settles what was accepted.

    Called outside any transaction: what was prepared must be committed before a byte leaves (laws#record-send-settle).
    """
    workers.beat_through_request()
    began = time.monotonic()
    try:
        entry.left_at = ledger.depart(entry.pk, unless_held=True)
    except ledger.DepartureLost as stayed:
        _settle(entry, stayed)
        raise
    if entry.left_at is None:
        held_back = HeldBack(_why_not(entry), interface=entry.interface)
        ledger.take_back(ledger.only(entry.pk), held_back.message)
        raise held_back
    try:
        ledger.must_leave(began, entry.interface)
        return request()
    except LaafficError as problem:
        _settle(entry, problem)
        if isinstance(problem, Refused) and problem.calls_for in account_hold.HOLDING:
            account_hold.place(problem, entry_id=entry.pk)
        raise
    except (InvalidRequest, NotConfigured) as problem:
        never_left = NotSent(str(problem), interface=entry.interface)
        _settle(entry, never_left)
        raise never_left from problem
    except KeyboardInterrupt as stopped:
        # Like the request of a process that died: the sweep gives the row up, with all that hangs on it.
        raise LeftUnknown(_interrupted(entry)) from stopped
    except Exception as problem:  # a bug of ours, which must not make a request look unsent
        logger.exception("%s: request %s failed here", entry.interface, entry.pk, extra={"ledger": entry.pk})
        lost = OutcomeUnknown(f"our own failure: {type(problem).__name__}", interface=entry.interface)
        _settle(entry, lost)
        raise lost from problem


def _settle(entry: LedgerEntry, error: LaafficError) -> None:
    """Write down what only this process knows, also where the database has just gone away."""
    insist(functools.partial(ledger.settle_error, entry.pk, error), seconds=PATIENCE)


def _interrupted(entry: LedgerEntry) -> str:
    said = _(
        "Interrupted while the request was under way: it is not known whether it was done. Ledger row %(row)s will "
        "say so in a few minutes; look there before you repeat it."
    )
    return said % {"row": entry.pk}


def _why_not(entry: LedgerEntry) -> str:
    hold = account_hold.open_holds(entry.application_id or 0).order_by("id").first()
    return hold.sentence if hold else _("it was taken back before it left")

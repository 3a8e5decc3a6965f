"""Record, send, settle (laws#record-send-settle): the only way in which a request that acts leaves the console.

entry = prepare(...)       in the claim's transaction: nothing has left
if depart(entry): POST     committed before the first byte
settle(entry, ...)         what came of it, by the outcome's three branches
"""

import datetime as dt
import hashlib
import time
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import Error
from django.db.models import Exists, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, EvidenceKind, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import clock
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.database.durability import durable
from laaffic_console.gateway.services.ledger import known_by, subjects
from laaffic_console.gateway.services.ledger.known_by import Evidence
from laaffic_console.kit.audit.acts import Act, actor, record
from laaffic_console.kit.noting import Noting
from laaffic_console.kit.sql.constant_sql import Given, Insert, Update
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import LaafficError, NotSent, OutcomeUnknown, Refused

# A request leaves within this time after its row says so, or not at all.
LEAVES_WITHIN = dt.timedelta(seconds=5)

# An answer that comes after its worker was given up for dead is the best evidence there is: unknown may still end.
OPEN = [EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.UNKNOWN, EntryState.LAPSED]

_ANSWERED = known_by.answer()
_ACCEPTED: dict[str, Any] = {"code": "0", "reason": "success", "http_status": 200}

noting = Noting[LedgerEntry]("what is prepared")


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
) -> LedgerEntry:
    entry = LedgerEntry(
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
    prepare_all([entry])
    noting.tell(entry)
    _tell(entry)
    return entry


def _tell(entry: LedgerEntry) -> None:
    """Record the request in the audit trail, under the thing's name of now; without a row, under its kind and id."""
    if actor() is None:
        return  # to look for the thing would be in vain
    thing = subjects.thing_of(entry.about_kind, entry.about_id)
    label = "" if thing else f"{entry.about_kind} {entry.about_id or ''}".strip()
    record(Act.REQUESTED, thing, label=label, interface=entry.interface, ledger=entry.pk)


def prepare_all(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """Several records in one statement."""
    now = timezone.now()
    for entry in entries:
        entry.prepared_at = now
    _write(entries)
    return list(entries)


_write = Insert(LedgerEntry, keys=True)


def requests_about(kind: str, about_id: int) -> "QuerySet[LedgerEntry]":
    """What was asked of Laaffic about one thing, newest first, with who asked."""
    return LedgerEntry.objects.filter(about_kind=kind, about_id=about_id).select_related("requested_by")


def depart(entry_id: int, *, provided: Q | Exists | None = None, unless_held: bool = False) -> dt.datetime | None:
    """Commit that the request is about to leave; None when it must not: someone has taken the request away.

    In the same statement `provided` must hold, and with `unless_held` nothing may hold the account. DepartureLost
    where the database went away, and with it the answer whether that was committed.
    """
    departed = depart_all([entry_id], provided=provided, unless_held=unless_held)
    return departed.get(entry_id)


def depart_all(
    entry_ids: Sequence[int], *, provided: Q | Exists | None = None, unless_held: bool = False
) -> dict[int, dt.datetime]:
    """Commit for each of these at once that it is about to leave; those that must not are not in what is returned."""
    return Departure(provided=provided, unless_held=unless_held).commit(entry_ids)


class Departure:
    """What must hold when requests leave, in one text for all of them: `provided` may name values (`Given`)."""

    def __init__(self, *, provided: Q | Exists | None = None, unless_held: bool = False) -> None:
        self._provided, self._unless_held = provided, unless_held
        self._say = Update(self._departing)

    def _departing(self) -> tuple["QuerySet[LedgerEntry]", dict[str, Any]]:
        departing = LedgerEntry.objects.filter(pk__among=Given("entries"), state=EntryState.PREPARED)
        if self._provided is not None:
            departing = departing.filter(self._provided)
        if self._unless_held:
            departing = departing.filter(account_hold.may_go_on())
        return departing, {"state": EntryState.IN_FLIGHT, "left_at": Given("at"), "clock_ahead": Given("ahead")}

    def commit(self, entry_ids: Sequence[int], **given: Any) -> dict[int, dt.datetime]:
        """Like `depart_all`; `given` are the values that `provided` names."""
        try:
            return self._commit(entry_ids, given)
        except Error as problem:
            if isolation.is_passing(problem):
                raise DepartureLost from problem
            raise

    def _commit(self, entry_ids: Sequence[int], given: dict[str, Any]) -> dict[int, dt.datetime]:
        now = timezone.now()
        ahead = round(clock.possibly_ahead(), 1)
        with durable():
            n = self._say(entries=list(entry_ids), at=now, ahead=ahead, **given)
        if n == len(entry_ids):
            return dict.fromkeys(entry_ids, now)
        left = LedgerEntry.objects.filter(pk__in=entry_ids, state=EntryState.IN_FLIGHT, left_at=now)
        return dict.fromkeys(left.values_list("pk", flat=True), now) if n else {}


class StayedHere(NotSent):
    """A request did not leave this machine, by no fault of the gateway's."""

    @property
    def sentence(self) -> str:
        """For people: why what it carries waits for another try."""
        raise NotImplementedError


class StoodStill(StayedHere):
    """The machine slept, or the process waited, between the commit and the request."""

    def __init__(self, interface: str) -> None:
        super().__init__("this worker stood still just before the request left", interface=interface)

    @property
    def sentence(self) -> str:
        return _("A worker stood still just before the request left, as on a machine that slept.")


class DepartureLost(StayedHere):
    """The database went away while a departure was committed. Its row may say that the request has left; only the
    process that was about to send it knows that it has not, so it settles the row when the database is back.
    """

    def __init__(self) -> None:
        super().__init__("the database was away just before the request left", interface="")

    @property
    def sentence(self) -> str:
        return _("The database was away just before a request left, so it did not leave. It goes again by itself.")


def must_leave(began: float, interface: str) -> None:
    """Called between the commit and the request: StoodStill for a process that stood still there (monotonic time).

    A sender that wakes later may find that its request was given up for lost, and that what it was about was sent
    again by another.
    """
    if time.monotonic() - began > LEAVES_WITHIN.total_seconds():
        raise StoodStill(interface)


def settle_accepted(entry_id: int, *, evidence: Evidence = _ANSWERED) -> bool:
    """False when it was settled already; a person's word that it was not done is overturned."""
    outcome = {**evidence.columns(), **_ACCEPTED}
    if _settle(entry_id, EntryState.ACCEPTED, **outcome):
        return True
    given_up = LedgerEntry.objects.filter(pk=entry_id, state=EntryState.NOT_SENT, evidence_kind=EvidenceKind.PERSON)
    return given_up.update(state=EntryState.ACCEPTED, settled_at=timezone.now(), **outcome) == 1


def settle_answered(entry_id: int, state: EntryState, *, why: str = "") -> bool:
    """Settle a request that was answered with success, and whose answer says of the one thing asked for what `state`
    says; `why`: its id, or the gateway's words. False when it was settled already.
    """
    evidence = known_by.answer(why)
    if state == EntryState.ACCEPTED:
        return settle_accepted(entry_id, evidence=evidence)
    return _settle_or_overturn(entry_id, state, code="0", reason=why[:300], http_status=200, **evidence.columns())


def denied_by_evidence(way: str = "") -> Q:
    """Refused, and by no answer: what was found out later, such as a list without it, said that it was not done.

    `way` leads to the entry from what is filtered, such as "entry__".
    """
    found_out = [EvidenceKind.LIST, EvidenceKind.REPORT, EvidenceKind.REQUEST]
    return Q(**{f"{way}state": EntryState.REFUSED, f"{way}evidence_kind__in": found_out})


def was_done_after_all(entry_id: int, *, evidence: Evidence) -> bool:
    """A list may show late what was done. False where nothing, or an answer, said that this was not."""
    denied = only(entry_id).filter(denied_by_evidence())
    return denied.update(state=EntryState.ACCEPTED, settled_at=timezone.now(), **evidence.columns()) == 1


def settle_all_accepted(entry_ids: Sequence[int]) -> int:
    """Several at once; how many of them were open."""
    return _accept(entries=list(entry_ids), at=timezone.now())


@Update
def _accept() -> tuple["QuerySet[LedgerEntry]", dict[str, Any]]:
    accepted = {"state": EntryState.ACCEPTED, "settled_at": Given("at"), **_ANSWERED.columns(), **_ACCEPTED}
    return LedgerEntry.objects.filter(pk__among=Given("entries"), state__in=OPEN), accepted


def settle_error(entry_id: int, error: LaafficError) -> bool:
    """Write a failed request's outcome on its row; False when it was settled already. A certain no overturns a person's
    word that it was done.
    """
    return _settle_or_overturn(entry_id, state_of(error), **evidence_of(error))


def prove_done(entry_id: int, *, evidence: Evidence) -> bool:
    """What a person said was done is known by this as well, and no answer that comes late says otherwise."""
    return _done_by_word(entry_id).update(**evidence.columns(), settled_at=timezone.now()) == 1


def settle_by_evidence(
    entry_id: int, state: EntryState, *, evidence: Evidence, provided: Sequence[EntryState] = (EntryState.UNKNOWN,)
) -> bool:
    """Settle a request by what was found out later; False when it is in none of the states `provided` any more."""
    settled = LedgerEntry.objects.filter(pk=entry_id, state__in=provided)
    return settled.update(state=state, settled_at=timezone.now(), **evidence.columns()) == 1


def lapse(entry_id: int, *, evidence: Evidence) -> bool:
    """End an unknown request of which nobody will ever know, and on which nothing hangs any more."""
    return settle_by_evidence(entry_id, EntryState.LAPSED, evidence=evidence)


def take_back(entries: "QuerySet[LedgerEntry]", why: str) -> int:
    """Make sure that what has not left never will; how many. One that leaves at the same moment is not among them."""
    return _end(entries.filter(state=EntryState.PREPARED), EntryState.NOT_SENT, known_by.console(why))


def lose(entries: "QuerySet[LedgerEntry]", why: str) -> int:
    """Await no answer any more: those in flight become unknown; how many. One that was answered is not among them."""
    return _end(entries.filter(state=EntryState.IN_FLIGHT), EntryState.UNKNOWN, known_by.no_answer(why))


def only(entry_id: int) -> "QuerySet[LedgerEntry]":
    return LedgerEntry.objects.filter(pk=entry_id)


def _end(entries: "QuerySet[LedgerEntry]", state: EntryState, evidence: Evidence) -> int:
    return entries.update(state=state, settled_at=timezone.now(), reason=evidence.words[:300], **evidence.columns())


def state_of(error: LaafficError) -> EntryState:
    match error:
        case NotSent():
            return EntryState.NOT_SENT
        case Refused():
            return EntryState.REFUSED
        case OutcomeUnknown():
            return EntryState.UNKNOWN
    raise TypeError(f"no branch for {type(error).__name__}") from error


def evidence_of(error: LaafficError) -> dict[str, Any]:
    kind = EvidenceKind.ANSWER if isinstance(error, Refused) else EvidenceKind.NO_ANSWER
    return {
        "code": str(error.code or "")[:16],
        "reason": error.message[:300],
        "http_status": getattr(error, "http_status", None),
        **Evidence(kind, str(error)).columns(),
    }


def _settle_or_overturn(entry_id: int, state: EntryState, **outcome: Any) -> bool:
    if _settle(entry_id, state, **outcome):
        return True
    if state not in (EntryState.REFUSED, EntryState.NOT_SENT):
        return False
    return _done_by_word(entry_id).update(state=state, settled_at=timezone.now(), **outcome) == 1


def _done_by_word(entry_id: int) -> "QuerySet[LedgerEntry]":
    return LedgerEntry.objects.filter(pk=entry_id, state=EntryState.ACCEPTED, evidence_kind=EvidenceKind.PERSON)


def _settle(entry_id: int, state: EntryState, **outcome: Any) -> bool:
    unsettled = LedgerEntry.objects.filter(pk=entry_id, state__in=OPEN)
    return unsettled.update(state=state, settled_at=timezone.now(), **outcome) == 1

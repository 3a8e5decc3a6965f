"""Find the SIP call and the attempt that a record or a ringing phone belongs to, and settle that attempt.

`calledInfo` is our mark, one for each attempt; if it does not come back, the id in the answer is used.
"""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q, QuerySet

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.gateway.services.ledger.known_by import Evidence
from messaging.subscribers import subscriber
from voice.models import CallRecord, Ringing, SipCall

ABOUT = "SIP call"
FIRST_LOOK = dt.timedelta(seconds=15)
UNSETTLED = (EntryState.UNKNOWN, EntryState.LAPSED)  # a person may still say what they know
MAY_TRY_AGAIN = (EntryState.REFUSED, EntryState.NOT_SENT)


def attempts(asked: SipCall) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(about_kind=ABOUT, about_id=asked.pk)


def mark(asked: SipCall, attempt: int) -> str:
    """The mark that an attempt sends: the call's own mark, from the second attempt on with the attempt's number."""
    return asked.called_info if attempt == 1 else f"{asked.called_info}-{attempt}"


def _read_mark(mark: str) -> tuple[str, int]:
    """The call's mark and the attempt; ("", 0) if the mark is not ours."""
    found = re.fullmatch(rf"({re.escape(settings.LAAFFIC_ORDER_PREFIX)}-call-[0-9a-f]+)(?:-([0-9]{{1,4}}))?", mark)
    return (found[1], int(found[2] or 1)) if found else ("", 0)


def settle_by_records(records: Iterable[CallRecord]) -> None:
    """Give calls their records, by mark or id, and settle unknown attempts; in the caller's transaction."""
    by_mark: dict[str, list[tuple[int, CallRecord]]] = defaultdict(list)
    by_id = {record.voice_id: record for record in records}
    for record in by_id.values():
        mark, attempt = _read_mark(record.called_info)
        by_mark[mark].append((attempt, record))
    by_mark.pop("", None)
    ours = Q(voice_id__in=[*by_id]) | Q(called_info__in=[*by_mark])
    for asked in SipCall.objects.select_for_update().filter(ours).order_by("pk"):
        told = sorted(by_mark[asked.called_info], key=lambda one: one[0]) if asked.called_info in by_mark else []
        if not told and asked.voice_id in by_id and not by_id[asked.voice_id].called_info:
            told = [(asked.entry.attempt if asked.entry else 1, by_id[asked.voice_id])]
        for attempt, record in told:
            if _is_to(record.callee, asked):
                _settle_attempt(asked, attempt, record)


def _is_to(number: str, asked: SipCall) -> bool:
    """Whether the number is the call's, in any spelling; also if no number is given."""
    return number in ("", asked.callee) or subscriber(number) == subscriber(asked.callee)


def _settle_attempt(asked: SipCall, attempt: int, record: CallRecord) -> None:
    """Settle the record's own attempt, also if a person said that it did not ring.

    It becomes the call's record, unless a later attempt has left that will have its own record.
    """
    entry = None if asked.record_id == record.pk else attempts(asked).filter(attempt=attempt).first()
    if entry is None:
        return
    _has_rung(entry, known_by.report(f"{record.get_source_display()} of call {record.voice_id}"))
    if asked.record_id is None and is_of(asked, entry):
        asked.record, asked.voice_id, asked.look_at = record, record.voice_id, None
        asked.save(update_fields=["entry", "record", "voice_id", "look_at"])


def _has_rung(entry: LedgerEntry, evidence: Evidence) -> None:
    """Settle that the attempt rang, whatever a person said: if that was the same, this evidence replaces it."""
    may_have_rung = [*UNSETTLED, EntryState.IN_FLIGHT, EntryState.NOT_SENT]
    if not ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=evidence, provided=may_have_rung):
        ledger.prove_done(entry.pk, evidence=evidence)


def is_of(asked: SipCall, arrived: LedgerEntry) -> bool:
    """Whether this attempt, which arrived, is now the call's: the last, or one before a last that rang nowhere.

    Under the call's lock; the caller saves its `entry`.
    """
    if asked.entry_id != arrived.pk and (asked.entry is None or asked.entry.state not in MAY_TRY_AGAIN):
        return False
    asked.entry = arrived
    return True


def settle_by_ringing(rung: Iterable[Ringing]) -> None:
    """A ringing phone proves that the request arrived, and its page shows that it rings; in the caller's transaction.

    A record says more, whichever of the two comes first: only a record ends the call.
    """
    rows = sorted(rung, key=lambda row: row.at)
    marks = {row.pk: _read_mark(row.called_info) for row in rows}
    ours = Q(voice_id__in={row.call_id for row in rows} - {""}) | Q(
        called_info__in={m for m, _n in marks.values() if m}
    )
    by_call = SipCall.objects.select_for_update().filter(ours).order_by("pk")
    for asked in by_call if rows else ():
        for row in rows:
            mark, attempt = marks[row.pk]
            if not row.called_info and row.call_id == asked.voice_id:
                mark, attempt = asked.called_info, asked.entry.attempt if asked.entry else 1
            if mark == asked.called_info and _is_to(row.called, asked):
                _rang(asked, attempt, row)


def _rang(asked: SipCall, attempt: int, row: Ringing) -> None:
    entry = attempts(asked).filter(attempt=attempt).first()
    if entry is None:
        return
    _has_rung(entry, known_by.report(f"a phone rang for call {row.call_id}"))
    if not is_of(asked, entry):
        return
    asked.ringing_at = min(asked.ringing_at or row.at, row.at)
    if asked.record_id is None and asked.look_at is None:
        asked.look_at = database_clock.now() + FIRST_LOOK
    asked.save(update_fields=["entry", "ringing_at", "look_at"])

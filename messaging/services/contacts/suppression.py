"""Who is never sent to: put on the list from pasted lines, a file or the contacts; taken off by a person's word."""

import itertools
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from laaffic_console.gateway.models.channels import Channel
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.lists import walks
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.words.plain_text import is_blank
from messaging import msisdn
from messaging.files import pasted_lines
from messaging.files.unreadable import UnreadableFile
from messaging.models import Contact, SuppressionEntry, SuppressionRelease
from messaging.models.contacts import opt_outs_also_on
from messaging.services import events
from messaging.services.contacts import file_numbers
from messaging.services.contacts.contacts import id_chunks
from messaging.services.contacts.file_numbers import Written
from messaging.subscribers import every_spelling, subscriber

CHUNK = 500
MAX_BYTES = 20 << 20
INVALID_SHOWN = 100
BY_REPLY = "reply"  # the source of what a STOP has put on the list


@dataclass(frozen=True, slots=True)
class Invalid:
    line: int
    value: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What happened to the numbers that were given."""

    added: int = 0
    already_there: int = 0
    invalid: int = 0
    invalid_shown: list[Invalid] = field(default_factory=list)  # the first of them
    of_no_country: list[str] = field(default_factory=list)  # numbers whose country code may be missing

    @property
    def invalid_beyond(self) -> int:
        """How many more there are than are shown."""
        return self.invalid - len(self.invalid_shown)


@dataclass(frozen=True, slots=True)
class Numbers:
    good: list[str]  # each once
    invalid: list[Invalid]
    twice: int = 0  # good ones that were there already


def suppress_numbers(
    numbers: Iterable[str], *, channel: str, reason: str, note: str = "", by: User | None = None, source: str = ""
) -> Outcome:
    """Put MSISDNs on the list; those there for this channel and reason, in any spelling, keep the older entry."""
    outcome = Outcome()
    told = 0
    is_a_persons_word = reason == SuppressionEntry.Reason.OPT_OUT and source != BY_REPLY
    said = {"note": note, "created_by": by, "source": source[:120] or "console"}
    remaining = iter(numbers)
    while chunk := list(itertools.islice(remaining, CHUNK)):
        with transaction.atomic():
            there = _subscribers_in(lambda given: _listed.rows(channel=channel, reason=reason, numbers=given), chunk)
            if there:  # anyone who takes one of them off in the meantime is waited for: it is added again
                there = _still_listed(there, channel=channel, reason=reason)
            fresh = {subscriber(number): number for number in reversed(chunk) if number not in there}
            entries = [
                SuppressionEntry(number=number, channel=channel, reason=reason, **said)
                for number in reversed(fresh.values())
            ]
            added = SuppressionEntry.objects.add_new(entries)
            overtaken = set(fresh.values()) - {entry.number for entry in added}  # somebody else has just put them there
            if is_a_persons_word and (there or overtaken):
                _keep_from_start(there | overtaken, channel=channel, **said)
            events.suppressed(added)
            outcome.already_there += len(chunk) - len(added)
            outcome.added += len(added)
            if added and not told:  # with the first of them: what is killed after it has been told
                told = len(added)
                _record(told, added[0].number, channel, note)
    if outcome.added > told:
        _record(outcome.added - told, "", channel, note)
    return outcome


def _record(added: int, first: str, channel: str, note: str) -> None:
    label = first if added == 1 else ""
    record(Act.SUPPRESSED, SuppressionEntry, label=label, numbers=added, channel=Channel(channel).label, why=note)


def _still_listed(numbers: Collection[str], *, channel: str, reason: str) -> set[str]:
    """The numbers that are still on the list, their entries locked until the caller's transaction ends."""
    entries = SuppressionEntry.objects.of_subscribers(list(numbers)).filter(channel=channel, reason=reason)
    locked = entries.select_for_update().order_by("pk").values_list("number", flat=True)
    kept = {subscriber(number) for number in locked}
    return {number for number in numbers if subscriber(number) in kept}


def _keep_from_start(numbers: Collection[str], *, channel: str, **said: Any) -> None:
    """Mark entries of a STOP that somebody else now confirms: no START releases them any more."""
    of_theirs = SuppressionEntry.objects.of_subscribers(list(numbers)).filter(channel=channel, source=BY_REPLY)
    of_theirs.filter(reason=SuppressionEntry.Reason.OPT_OUT).update(**said)


def suppressed_among(numbers: Sequence[str], *, channels: Sequence[str]) -> set[str]:
    """The numbers whose subscriber is on the list of one of these channels, in whatever spelling the entry has it."""
    # What stops a channel is a setting, so the text differs by it.
    shape = tuple(channels), tuple(opt_outs_also_on(channels))
    return _subscribers_in(lambda given: _stopping.rows(*shape, numbers=given), numbers)


@Select
def _listed() -> "QuerySet[SuppressionEntry, Any]":
    entries = SuppressionEntry.objects.filter(channel=Given("channel"), reason=Given("reason"))
    entries = entries.filter(number__among=Given("numbers"))
    return entries.order_by().values_list("number")


@Select
def _stopping(channels: Sequence[str], _opt_outs_also_on: Sequence[str]) -> "QuerySet[SuppressionEntry, Any]":
    entries = SuppressionEntry.objects.stopping(channels).filter(number__among=Given("numbers"))
    return entries.order_by().values_list("number")


def _subscribers_in(find: Callable[[list[str]], Iterable[tuple[str]]], numbers: Sequence[str]) -> set[str]:
    stopped: set[str] = set()
    for start in range(0, len(numbers), CHUNK):
        entries = find(every_spelling(numbers[start : start + CHUNK]))
        stopped.update(subscriber(number) for (number,) in entries)
    return {number for number in numbers if subscriber(number) in stopped} if stopped else set()


def suppress_contacts(
    contacts: QuerySet[Contact], *, channel: str, reason: str, note: str = "", by: User | None = None
) -> Outcome:
    def numbers() -> Iterator[str]:
        for ids in id_chunks(contacts):
            yield from Contact.objects.filter(pk__in=ids).values_list("number", flat=True)

    return suppress_numbers(numbers(), channel=channel, reason=reason, note=note, by=by, source="contacts")


def suppress_written(numbers: Numbers, *, source: str = "", **entry: Any) -> Outcome:
    """`source`: the name of the file, if it is one."""
    if source == BY_REPLY:  # a START would release what it takes for a STOP
        source = f"file {source}"
    outcome = suppress_numbers(numbers.good, source=source, **entry)
    outcome.invalid = len(numbers.invalid)
    outcome.invalid_shown = numbers.invalid[:INVALID_SHOWN]
    outcome.of_no_country = [number for number in numbers.good if not msisdn.country_of(number)]
    return outcome


def read_each(given: Sequence[str], region: str = "") -> Numbers:
    """Numbers of a list of which each entry is one: what names a column, is empty or holds two is invalid."""
    return _read(((place, entry, "") for place, entry in enumerate(given, start=1)), region)


def read_pasted(text: str, region: str = "") -> Numbers:
    """Numbers one a line, or with commas, semicolons or tabs between them; a line that names their column is none."""
    lines = text.splitlines()
    header = pasted_lines.header_of(lines[: pasted_lines.HEAD])
    return _read(
        (
            (line, part, "")
            for line, whole in enumerate(lines, start=1)
            for part in pasted_lines.cells_of(whole)
            if part.strip() and line != header
        ),
        region,
    )


def read_upload(upload: "UploadedFile[Any]", region: str = "") -> Numbers:
    """A list, CSV or workbook, with a header or without one, and of each row one number: whom to call.

    ValidationError says why it is none.
    """
    return _read_file(upload, region, lambda path: file_numbers.one_each(path, region))


def read_opt_outs(upload: "UploadedFile[Any]", region: str = "") -> Numbers:
    """Every number of such a file: anyone who has given two wants nothing on the second one either."""
    return _read_file(upload, region, lambda path: file_numbers.every_one(path, region))


def _read_file(upload: "UploadedFile[Any]", region: str, written: Callable[[Path], Iterator[Written]]) -> Numbers:
    if (upload.size or 0) > MAX_BYTES:
        raise ValidationError(
            _("The file is larger than %(limit)d MB. Split it and upload the parts.") % {"limit": MAX_BYTES >> 20}
        )
    with tempfile.NamedTemporaryFile(suffix=".dat") as kept:
        for piece in upload.chunks():
            kept.write(piece)
        kept.flush()
        try:
            return _read(written(Path(kept.name)), region)
        except UnreadableFile as problem:
            raise ValidationError(str(problem)) from problem


def _read(written: Iterable[Written], region: str) -> Numbers:
    good: dict[str, None] = {}
    invalid = []
    read = 0
    for line, text, problem in written:
        if problem:
            invalid.append(Invalid(line, text.strip()[:40], problem))
            continue
        try:
            good[file_numbers.number(text, region)] = None
            read += 1
        except msisdn.InvalidNumber as problem:
            invalid.append(Invalid(line, text.strip()[:40], str(problem)))
    return Numbers(list(good), invalid, read - len(good))


class Allowed(NamedTuple):
    entries: int
    still: int  # whose number is on the list for another reason or channel


def allow_again(entries: QuerySet[SuppressionEntry], *, why: str, by: User | None) -> Allowed:
    """Take entries off the list, with those that spell their number otherwise, and keep who did it and why."""
    if is_blank(why):
        raise ValidationError({"why": _("Say why, for example “asked to be put back on 3 May”.")})
    released = still = told = 0
    for chosen in walks.rising(entries, CHUNK, attrgetter("pk")):
        with transaction.atomic():
            taken = _with_other_spellings(chosen)
            _release(taken, why, by)
            released += len({entry.pk for entry in taken} & {entry.pk for entry in chosen})
            if released and not told:  # with the first of them, as in suppress_numbers
                told = released
                label = chosen[-1].number if told == 1 else ""
                record(Act.ALLOWED, SuppressionEntry, label=label, numbers=told, why=why.strip()[:200])
        numbers = [entry.number for entry in chosen]
        still += len(_subscribers_in(lambda given: _on_any_channel.rows(numbers=given), numbers))
    if released > told:
        record(Act.ALLOWED, SuppressionEntry, numbers=released - told, why=why.strip()[:200])
    return Allowed(released, still)


@Select
def _on_any_channel() -> "QuerySet[SuppressionEntry, Any]":
    return SuppressionEntry.objects.filter(number__among=Given("numbers")).order_by().values_list("number")


def hold_stops(numbers: Sequence[str]) -> list[int]:
    """The entries of their own STOPs, locked in the caller's transaction: nobody says more of them until it ends."""
    locked = _stops_of(numbers).select_for_update().order_by("pk")
    return list(locked.values_list("pk", flat=True))


def release_stops(numbers: Sequence[str], *, held: Collection[int], channels: Sequence[str], why: str) -> None:
    """Release only what the person's own STOP put on the list: nothing added by hand, from a file, or by a complaint.

    Only entries in `held` are released: later ones are from a STOP that the caller has not looked at.
    """
    with transaction.atomic():
        _release(list(_stops_of(numbers).filter(pk__in=held, channel__in=channels)), why, None)


def _stops_of(numbers: Sequence[str]) -> QuerySet[SuppressionEntry]:
    opted_out = SuppressionEntry.objects.of_subscribers(numbers).filter(reason=SuppressionEntry.Reason.OPT_OUT)
    return opted_out.filter(source=BY_REPLY)


def _release(entries: Sequence[SuppressionEntry], why: str, by: User | None) -> None:
    SuppressionRelease.objects.bulk_create(
        SuppressionRelease(
            number=entry.number,
            channel=entry.channel,
            reason=entry.reason,
            suppressed_at=entry.created_at,
            why=why.strip()[:200],
            released_by=by,
        )
        for entry in entries
    )
    SuppressionEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
    events.released(entries)


def _with_other_spellings(chosen: Sequence[SuppressionEntry]) -> list[SuppressionEntry]:
    """Two spellings can have been put on the list apart, and one STOP for SMS and MMS: one left goes on stopping."""
    of_subscriber: dict[str, list[SuppressionEntry]] = defaultdict(list)
    for entry in chosen:
        of_subscriber[subscriber(entry.number)].append(entry)
    numbers = [entry.number for entry in chosen]
    # Locked: what somebody else has just taken off is not taken off twice.
    entries = SuppressionEntry.objects.of_subscribers(numbers).select_for_update().order_by("pk")
    return [entry for entry in entries if any(_stops_as(entry, one) for one in of_subscriber[subscriber(entry.number)])]


def _stops_as(entry: SuppressionEntry, chosen: SuppressionEntry) -> bool:
    """Whether it would go on stopping what the chosen one stops, for the same reason."""
    if entry.reason != chosen.reason:
        return False
    is_opt_out = entry.reason == SuppressionEntry.Reason.OPT_OUT
    return entry.channel == chosen.channel or (is_opt_out and entry.channel in opt_outs_also_on([chosen.channel]))

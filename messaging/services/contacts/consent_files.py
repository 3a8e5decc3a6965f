"""A file of consents that were given elsewhere: a row for each person and channel, read some hundred at a time.

What a row says holds from its own date: a STOP that came later stays. Reading a file twice changes nothing.
"""

import contextlib
import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.plain_text import keepable
from laaffic_console.kit.words.planned_years import check_year
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined
from messaging import msisdn
from messaging.files import contact_files
from messaging.files.contact_headers import guess_mapping, visible
from messaging.files.unreadable import SeveralReadings, UnreadableFile
from messaging.models import Consent, ConsentState
from messaging.services.contacts import consents
from messaging.services.contacts.consents import Said

AT_ONCE = 500
TOLD = 100  # invalid rows that are told one by one
COLUMNS = ("number", "consent", "date", "channel", "source", "words")
WORDS = {
    **dict.fromkeys(("given", "yes", "y", "true", "1", "opt-in"), ConsentState.GIVEN),
    **dict.fromkeys(("withdrawn", "no", "n", "false", "0", "opt-out"), ConsentState.WITHDRAWN),
    "unknown": ConsentState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for rows that do not say it themselves."""

    channel: str = "sms"
    date: str = ""
    source: str = ""
    region: str = ""
    encoding: str = ""  # of a text file whose letters can be read in several ways


@dataclass(slots=True)
class Outcome:
    rows: int = 0
    kept: int = 0
    known: int = 0  # of those kept: what the console knew already
    invalid: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)  # the first: {row, column, value, reason}
    line: int = 0  # the last that was read, as a spreadsheet numbers it

    def document(self) -> dict[str, Any]:
        """The document of `consent import --json` (commands#documents)."""
        return {name: getattr(self, name) for name in ("rows", "kept", "known", "invalid", "errors")}


class _Invalid(Exception):
    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason

    def as_told(self, row: int) -> dict[str, Any]:
        return {"row": row, "column": self.column, "value": self.value[:40], "reason": self.reason}


def take(path: Path, options: Options) -> Outcome:
    """All of a file at once, for the shell; the errors of `opened`, and UnreadableFile for one that breaks off.

    What single rows lack is told and left out.
    """
    outcome = Outcome()
    rows = opened(path, options)
    try:
        keep(rows, outcome)
    except UnreadableFile as problem:
        raise UnreadableFile(broken_off(problem, outcome)) from problem
    finally:
        label = keepable(path.name)[:120]
        if outcome.rows:
            record(Act.IMPORTED, Consent, label=label, rows=outcome.rows, invalid=outcome.invalid)
    return outcome


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """Behind its header: how its rows are read."""

    rows: Iterator[contact_files.Row]
    header: list[str]
    options: Options


def opened(path: Path, options: Options) -> OpenedFile:
    """UnreadableFile where it lacks a column or rows; ValidationError for what `options` lack, as {field: why}."""
    contact_files.require_one_sheet(path)
    rows = contact_files.plain_rows_as_meant(path, options.encoding)
    try:
        header = _header(next(rows, None))
    except SeveralReadings as problem:
        raise ValidationError({"encoding": str(problem)}) from problem
    first = next(rows, None)
    if first is None:
        raise UnreadableFile(contact_files.no_rows())
    if "date" not in header and not options.date:
        raise ValidationError({"date": _("Say when it was said: a column “date”, or one date for all rows.")})
    if options.date:
        try:
            _date(options.date)
        except ValidationError as problem:
            raise ValidationError({"date": problem}) from problem
    return OpenedFile(itertools.chain([first], rows), header, options)


def keep(
    file: OpenedFile, outcome: Outcome, *, by: User | None = None, kept: Callable[[], bool] = lambda: True
) -> bool:
    """Go on behind the rows that `outcome` counts; False where `kept` said to stop before the end.

    `kept` is called in the transaction of each piece, when `outcome` counts it.
    """
    behind = (row for row in file.rows if row.line > outcome.line)
    while piece := list(itertools.islice(behind, AT_ONCE)):
        with _counted_if_committed(outcome), transaction.atomic():
            good = list(_good(piece, file, outcome))
            new = consents.put(good, by=by)
            outcome.kept += len(good)
            outcome.known += len(good) - new
            goes_on = kept()
        if not goes_on:
            return False
    return True


@contextlib.contextmanager
def _counted_if_committed(outcome: Outcome) -> Iterator[None]:
    """What is rolled back is not counted either."""
    before = dataclasses.replace(outcome, errors=[*outcome.errors])
    try:
        yield
    except BaseException:
        for field_of in dataclasses.fields(outcome):
            setattr(outcome, field_of.name, getattr(before, field_of.name))
        raise


def broken_off(problem: UnreadableFile, outcome: Outcome) -> str:
    said = _("What was read before is kept: %(n)d consents. Fix the file, and import it again.")
    return joined([str(problem), said % {"n": outcome.kept}])


def _header(first: contact_files.Row | None) -> list[str]:
    """Its columns by our names: the number's is known by the spellings that an import knows."""
    header = [visible(cell).lower() for cell in first.cells] if first else []
    if twice := [name for name in COLUMNS if header.count(name) > 1]:
        said = _("The file has several columns “%(column)s”. Delete or rename those that do not say it.")
        raise UnreadableFile(said % {"column": twice[0]})
    numbers = [place for place, name in enumerate(header) if guess_mapping([name])[name] == "number"]
    numbers.sort(key=lambda place: header[place] != "number")
    for place in numbers[:1]:
        header[place] = "number"
    if missing := [name for name in ("number", "consent") if name not in header]:
        said = _("The file has no column “%(column)s”. Its first row names its columns: %(columns)s.")
        raise UnreadableFile(said % {"column": missing[0], "columns": ", ".join(COLUMNS)})
    for place in numbers[1:]:
        said = _("The file has another column of numbers, “%(column)s”. Write each number in a row of its own.")
        raise UnreadableFile(said % {"column": header[place]})
    return header


def _good(piece: Sequence[contact_files.Row], file: OpenedFile, outcome: Outcome) -> Iterator[Said]:
    for row in piece:
        cells = dict(zip(file.header, (cell.strip() for cell in row.cells), strict=False))
        outcome.line = row.line
        if not any(cells.values()) and not row.problem:
            continue
        outcome.rows += 1
        try:
            if row.problem:
                raise _Invalid("", row.text, row.problem)
            yield _said(cells, file.options)
        except _Invalid as problem:
            outcome.invalid += 1
            if len(outcome.errors) < TOLD:
                outcome.errors.append(problem.as_told(row.line))


def _said(cells: dict[str, str], options: Options) -> Said:
    written = cells.get("number", "")  # a row may end before it
    try:
        number = msisdn.parse(written, options.region).number
    except msisdn.InvalidNumber as problem:
        raise _Invalid("number", written, str(problem)) from problem
    state = WORDS.get(cells.get("consent", "").lower())
    if state is None:
        raise _Invalid("consent", cells.get("consent", ""), _("Write given, withdrawn or unknown."))
    channel = (cells.get("channel") or options.channel).lower()
    if channel not in [one.value for one in consents.CHANNELS]:
        raise _Invalid("channel", channel, _("Write sms, mms or voice."))
    try:
        at = _date(cells.get("date") or options.date)
    except ValidationError as problem:
        raise _Invalid("date", cells.get("date", ""), joined(problem.messages)) from problem
    return Said(number, channel, state, at, cells.get("source") or options.source or "file", cells.get("words", ""))


def _date(text: str) -> dt.datetime:
    """A day begins at midnight by the console's clock."""
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)):
            moment = dt.datetime.combine(day, dt.time())
        if moment is not None and timezone.is_naive(moment):
            moment = timezone.make_aware(moment)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise ValidationError(_("“%(text)s” is not a date. Write it like 2026-05-04.") % {"text": text[:40]})
    if moment > timezone.now():
        raise ValidationError(_("%(text)s is still to come. Give the day on which it was said.") % {"text": text[:40]})
    check_year(moment)
    return moment

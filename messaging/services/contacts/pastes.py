"""Taking in pasted numbers, some lines at a time: a paste of 200,000 is never in one request or in one column."""

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from laaffic_console.kit.masking.masks import in_text, masked
from laaffic_console.kit.words.figures import number as grouped
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from messaging.files import pasted_lines
from messaging.files.pasted_lines import Titles
from messaging.models import Campaign, Paste, PastedNumber
from messaging.msisdn import Msisdn
from messaging.services.saved_audiences import audience_sql
from messaging.subscribers import spellings, subscriber

LINES_AT_ONCE = 5000
MOST_LINES = 1_000_000
TOLD = 20  # problems and duplicates that are told one by one
Problem = Sequence[Any]  # of `Paste.problems`: line, what is there, why it is invalid
KEPT = dt.timedelta(days=7)  # without a campaign: a form may be left open over a weekend


def begin(*, by: User | None = None) -> Paste:
    forget_unused()
    return Paste.objects.create(made_by=by)


def add(paste_id: int, lines: Sequence[str], *, after: int, is_last: bool, head: Sequence[str] = ()) -> Paste:
    """The lines behind the first `after`; lines that are there already change nothing.

    `head`: the first lines of the whole, which come with every part: they may name the column that is read in it.
    ValidationError where lines before these are missing, or there are too many.
    """
    with transaction.atomic():
        paste = Paste.objects.select_for_update().get(pk=paste_id)
        if paste.is_complete or after < paste.lines:
            return paste
        if after > paste.lines:
            raise ValidationError(_("Some of the lines did not arrive. Paste them once more."))
        if paste.lines + len(lines) > MOST_LINES:
            said = _("More than %(n)d lines are too many here. Import them as contacts and choose their group.")
            raise ValidationError(said % {"n": MOST_LINES})
        _take_in(paste, lines, titles_of(lines, after=after, head=head))
        paste.is_complete = is_last
        paste.save()
    return paste


def from_lines(lines: Iterable[str], *, by: User | None = None) -> Paste:
    """All at once, for the shell and for another campaign's numbers."""
    paste, rest = begin(by=by), iter(lines)
    head = list(islice(rest, pasted_lines.HEAD))
    rest = chain(head, rest)
    while piece := list(islice(rest, LINES_AT_ONCE)):
        paste = add(paste.pk, piece, after=paste.lines, is_last=False, head=head)
    return add(paste.pk, [], after=paste.lines, is_last=True)


def titles_of(lines: Sequence[str], *, after: int, head: Sequence[str]) -> Titles | None:
    """The column titles in a paste's first lines, for lines that begin behind the first `after`."""
    first = head or (lines if after == 0 else [])
    return pasted_lines.titles_of(first[: pasted_lines.HEAD])


def _take_in(paste: Paste, lines: Sequence[str], titles: Titles | None) -> None:
    wanted: dict[str, tuple[int, str]] = {}  # {subscriber: (line, number)}
    for line, text in enumerate(lines, paste.lines + 1):
        if titles and line == titles.line:
            continue
        for found in pasted_lines.read(text, titles):
            if not isinstance(found, Msisdn):
                paste.invalid += 1
                paste.problems = _told(paste.problems, [line, found.text, found.why])
            elif (usual := subscriber(found.number)) in wanted:
                _merge(paste, line, found.number)
            else:
                wanted[usual] = line, found.number
    for usual in _there(paste, list(wanted)):
        _merge(paste, *wanted.pop(usual))
    PastedNumber.objects.bulk_create(
        (PastedNumber(paste=paste, number=number, subscriber=usual) for usual, (_line, number) in wanted.items()),
        batch_size=1000,
    )
    paste.numbers += len(wanted)
    paste.lines += len(lines)


def _merge(paste: Paste, line: int, number: str) -> None:
    paste.duplicates += 1
    paste.merged = _told(paste.merged, [line, number])


def _told(told: list[list[object]], one: list[object]) -> list[list[object]]:
    return [*told, one] if len(told) < TOLD else told


def _there(paste: Paste, subscribers: Sequence[str]) -> list[str]:
    found: list[str] = []
    rows = PastedNumber.objects.filter(paste=paste)
    for start in range(0, len(subscribers), 1000):
        piece = subscribers[start : start + 1000]
        found += rows.filter(subscriber__in=piece).values_list("subscriber", flat=True)
    return sorted(found)


def in_words(problems: Iterable[Problem], n: int, most: int = TOLD) -> list[str]:
    """Line, number and reason of the first of `n`, as far as the viewer may see it, and how many more there are."""
    shown = list(problems)[:most]
    said = [_in_words(*one) for one in shown]
    if (more := n - len(shown)) > 0:
        rest = ngettext("And %(n)s more invalid number.", "And %(n)s more invalid numbers.", more)
        said.append(rest % {"n": grouped(more)})
    return said


def _in_words(line: int, text: str, why: str) -> str:
    quoted = f"“{text}”"
    told = {"line": line, "text": masked(text), "why": in_text(why.replace(quoted, f"“{masked(text)}”"))}
    is_quoted = quoted in why
    if not line:  # one that was given by itself
        return told["why"] if is_quoted else _("“%(text)s”: %(why)s") % told
    return _("Line %(line)d: %(why)s") % told if is_quoted else _("Line %(line)d: “%(text)s”: %(why)s") % told


def suppressed(paste: Paste, channels: Sequence[str]) -> int:
    """How many of its numbers are on the list of one of these channels, however it spells them."""
    condition, params = audience_sql.suppressed("p", channels)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM messaging_pastednumber p WHERE p.paste_id = %s AND {condition}", [paste.pk, *params]
        )
        n: int = cursor.fetchone()[0]
        return n


def forget_unused() -> None:
    """Delete old pastes of drafts that were never saved; a few at a time."""
    old = Paste.objects.filter(made_at__lt=timezone.now() - KEPT)
    used = Campaign.objects.filter(paste__isnull=False).values("paste")
    for pk in list(old.exclude(pk__in=used).values_list("pk", flat=True)[:5]):
        with transaction.atomic():  # a draft that is being saved with it waits, or is waited for
            unused = Paste.objects.select_for_update().filter(pk=pk).exclude(pk__in=used)
            if unused.exists():
                PastedNumber.objects.filter(paste=pk).delete()
                unused.delete()


def erase(number: str) -> None:
    """Out of all pastes: each is looked at by its own index. The first numbers that a paste tells about go too."""
    usual, written = subscriber(number), set(spellings(number))
    rows = PastedNumber.objects.filter(paste__in=list(Paste.objects.values_list("pk", flat=True)))
    holding = list(rows.filter(subscriber=usual).values_list("paste_id", flat=True))
    to_change = Paste.objects.filter(pk__in=holding) | Paste.objects.exclude(merged=[])
    for paste in to_change.select_for_update(no_key=True).order_by("pk"):
        kept = [[line, one] for line, one in paste.merged if one not in written]
        gone, _each = PastedNumber.objects.filter(paste=paste, subscriber=usual).delete()
        if gone or kept != paste.merged:
            Paste.objects.filter(pk=paste.pk).update(merged=kept, numbers=F("numbers") - gone)

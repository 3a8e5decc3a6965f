"""What outlives a restore: who is never to be sent to, who has withdrawn consent, who was erased.

It is read from the database that a backup replaces, and written into the backup's. Who was allowed again or has agreed
since is left behind: on that side nobody is sent what they do not want.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from messaging.models import ConsentEvent, ConsentState, Erasure, Reply, SuppressionEntry
from messaging.services.contacts import consents, people, suppression
from messaging.services.contacts.consents import Said

CLOCKS_APART = dt.timedelta(hours=1)  # what was there before the backup is written once anyway


class Suppressed(NamedTuple):
    channel: str
    reason: str
    source: str
    note: str
    number: str
    at: dt.datetime


class Erased(NamedTuple):
    number: str
    why: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class LastingWords:
    suppressed: Sequence[Suppressed]  # sorted
    said: Sequence[Said]
    erased: Sequence[Erased]

    def __add__(self, others: "LastingWords") -> "LastingWords":
        return LastingWords(
            sorted({*self.suppressed, *others.suppressed}),
            list(dict.fromkeys([*self.said, *others.said])),
            list(dict.fromkeys([*self.erased, *others.erased])),
        )

    def kept(self) -> str:
        """All of them as JSON, kept for a restore that dies before they are written."""
        rows = (
            [one._asdict() for one in self.suppressed],
            [asdict(one) for one in self.said],
            [one._asdict() for one in self.erased],
        )
        return json.dumps(rows, default=dt.datetime.isoformat)


def read_kept(text: str) -> LastingWords:
    suppressed, said, erased = json.loads(text)
    for row in (*suppressed, *said, *erased):
        row["at"] = dt.datetime.fromisoformat(row["at"])
    return LastingWords(
        [Suppressed(**row) for row in suppressed], [Said(**row) for row in said], [Erased(**row) for row in erased]
    )


@dataclass(frozen=True, slots=True)
class Written:
    suppressed: int
    withdrawn: int  # consents that were not withdrawn before
    to_erase: Sequence[Erasure]
    erased: int = 0
    not_erased: Sequence[str] = ()  # numbers: a message or a group call may still reach them


def read(since: dt.datetime) -> LastingWords:
    start = since - CLOCKS_APART
    entries = SuppressionEntry.objects.filter(Q(created_at__gte=start) | _is_confirmed()).order_by()
    said = ConsentEvent.objects.filter(recorded_at__gte=start).exclude(state=ConsentState.GIVEN).order_by("pk")
    erasures = Erasure.objects.filter(erased_at__gte=start).order_by("pk")
    return LastingWords(
        sorted(
            Suppressed(*row)
            for row in entries.values_list("channel", "reason", "source", "note", "number", "created_at")
        ),
        [Said(*row) for row in said.values_list("subscriber", "channel", "state", "at", "source", "words")],
        [Erased(*row) for row in erasures.values_list("number", "why", "erased_at")],
    )


def _is_confirmed() -> Q:
    """Entries made by a STOP and confirmed by somebody else, perhaps since the backup. They keep the STOP's moment, and
    no START releases them.
    """
    stops = Reply.objects.filter(number=OuterRef("number")).exclude(opt_out="")
    return Q(Exists(stops), ~Q(source=suppression.BY_REPLY), reason=SuppressionEntry.Reason.OPT_OUT)


def write(words: LastingWords) -> Written:
    """All but the erasures, which wait until it is known what may have left."""
    suppressed = 0
    for (channel, reason, source, note), alike in groupby(words.suppressed, key=lambda one: one[:4]):
        when = {one.number: one.at for one in alike}
        how = {"channel": channel, "reason": reason, "source": source}
        suppressed += suppression.suppress_numbers(when, note=note, **how).added
        _say_since_when(when, how)
    withdrawn = 0
    for start in range(0, len(words.said), consents.ROWS):
        holds = consents.keep(words.said[start : start + consents.ROWS]).holds
        withdrawn += sum(one.state == ConsentState.WITHDRAWN for one in holds)
    return Written(suppressed, withdrawn, [one for one in map(_ask, words.erased) if one])


def erase_again(written: Written) -> Written:
    """Once campaigns are settled."""
    not_erased = [asked.number for asked in written.to_erase if not _erase(asked)]
    return replace(written, erased=len(written.to_erase) - len(not_erased), not_erased=sorted(set(not_erased)))


def _say_since_when(when: dict[str, dt.datetime], how: dict[str, str]) -> None:
    numbers = list(when)
    for start in range(0, len(numbers), suppression.CHUNK):
        some = numbers[start : start + suppression.CHUNK]
        entries = list(SuppressionEntry.objects.filter(number__in=some, **how))
        for entry in entries:
            entry.created_at = min(entry.created_at, when[entry.number])
        SuppressionEntry.objects.bulk_update(entries, ["created_at"])


def _ask(one: Erased) -> Erasure | None:
    """Kept until somebody is erased: who cannot be is named by the next restore too."""
    if known := Erasure.objects.filter(number=one.number, erased_at=one.at).first():
        return None if known.is_done else known
    asked = Erasure.objects.create(number=one.number, why=one.why, is_done=False)
    Erasure.objects.filter(pk=asked.pk).update(erased_at=one.at)
    asked.erased_at = one.at
    return asked


def _erase(asked: Erasure) -> bool:
    try:
        with transaction.atomic():
            erasure = people.erase(asked.number, why=asked.why, by=None)
            Erasure.objects.filter(pk=erasure.pk).update(erased_at=asked.erased_at)
            asked.delete()
    except ValidationError:
        return False
    return True

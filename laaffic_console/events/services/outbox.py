"""Writing down what happens, in the transaction that does it: a rollback leaves no event, a commit loses none.

Nothing is written, and nothing made up, where nobody wants to know: one question for each batch finds that out.
"""

import datetime as dt
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from laaffic_console.events import readers
from laaffic_console.events.models import Event, iso
from laaffic_console.kit.sql.constant_sql import Insert
from laaffic_console.kit.words.said import Said, in_english

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Happening:
    kind: str
    about: str  # "message:12"
    data: Mapping[str, Any]
    at: dt.datetime | None = None  # None: now
    order_key: str = ""  # "": in order with everything that is about the same


def record(kind: str, about: str, data: Mapping[str, Any], at: dt.datetime | None = None, order_key: str = "") -> None:
    record_many([kind], lambda: [Happening(kind, about, data, at, order_key)])


def record_many(kinds: Collection[str], happened: Callable[[], Iterable[Happening]]) -> None:
    """`happened` is called only where somebody wants one of these kinds; call it under the lock of what changes."""
    wanting = readers.wanting(kinds)
    if not wanting:
        return
    wanted = set[str]().union(*(those for _reader, those in wanting))
    now, mark = timezone.now(), new_mark()
    events = [_event(one, now, mark) for one in happened() if one.kind in wanted]
    with transaction.atomic(savepoint=False):
        for start in range(0, len(events), AT_ONCE):
            piece = events[start : start + AT_ONCE]
            if len(piece) == 1:
                _keep_one(piece)
            else:
                Event.objects.bulk_create(piece)
            readers.take(wanting, piece)


_keep_one = Insert(Event, keys=True)


def new_mark() -> str:
    return secrets.token_hex(4)


def _event(one: Happening, now: dt.datetime, mark: str) -> Event:
    event = Event(
        kind=one.kind,
        about=one.about,
        order_key=one.order_key or one.about,
        data=json.dumps(_for_scripts(one.data), default=_plain, separators=(",", ":")),
        at=one.at or now,
        created_at=now,
        mark=mark,
    )
    event.told = one.data
    return event


def _for_scripts(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """No matter who did it, and in which language: what leaves is English."""
    said = {name: in_english(value) for name, value in data.items() if isinstance(value, Said)}
    return {**data, **said} if said else data


def _plain(value: Any) -> str:
    return iso(value) if isinstance(value, dt.datetime) else str(value)

"""What may keep back a queued message when its batch is claimed: one protocol, and the register of those that do.

The suppression list is asked by the statement that reads the rows (batches/claiming.py). Whatever else speaks against a
message leaving now is a gate: that it had reached its recipient before, the hour where its recipient is, a cap, a
budget. A gate is asked in the claim's transaction, under the batch's lock, and writes nothing to messages or batches
itself: it answers with a verdict, which the claim carries out.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from messaging.models import Campaign, HoldKind


class Queued(NamedTuple):
    """One queued message of a batch that is being claimed, as the claim's statement reads it."""

    message_id: int
    number: str  # E.164 without +
    segments: int  # one where its text has merge fields: batches/own_segments.py counts those
    attempt: int
    is_suppressed: bool
    merge_values: Any
    batch_id: int
    country: str


class Later(NamedTuple):
    """Why and how long a queued message waits; it is kept on its batch and said in the reader's language."""

    until: dt.datetime | None  # None: as soon as there is room
    why: str  # "kind:value", of a kind that is registered; at most 60 characters


@dataclass(frozen=True, slots=True)
class Verdict:
    """What speaks against messages of a batch; those that are not named go on to the next gate."""

    stopped: Mapping[int, str] = field(default_factory=dict)  # message id → evidence: it is cancelled and never goes
    # Without a moment only beside others that may leave: who has no room for anybody says when, or holds.
    waiting: Mapping[int, Later] = field(default_factory=dict)
    hold: str = ""  # a sentence: nothing of this batch leaves, and the campaign is held with it …
    hold_kind: HoldKind = HoldKind.OTHER  # … as this


class Gate:
    """One campaign's gate, made for each claim: what it reads once serves all batches of that claim."""

    kind = ""  # the name of its kind, said by `standing`
    stopped = 0  # messages, in this claim
    by_segments = False  # it counts them on the messages' rows afterwards: the claim writes them there

    def look(self, rows: Sequence[Queued]) -> Verdict:
        """What keeps these back. The batches of one claim are looked at one after the other."""
        raise NotImplementedError

    def taken(self, rows: Mapping[int, Sequence[Queued]]) -> None:
        """Count these, given by batch id: the transaction of the claim is writing them into the ledger."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of gate."""

    name: str  # what stands before the colon in `Later.why`
    of: Callable[[Campaign], Gate | None]  # None where it has nothing to say of this campaign now
    says: Callable[[str], str] = str  # a sentence from what stands after the colon
    stops: Any = ""  # what a page says of those that it has stopped; translated when it is shown
    tells_when: Callable[[str], bool] = lambda _value: True  # False: the moment is only one to look again at
    counts: bool = False  # asked last, so that it counts only what nothing else keeps back


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Register a kind of gate, when its app is made ready."""
    _kinds[kind.name] = kind


def standing(campaign: Campaign) -> list[Gate]:
    """The gates that have something to say about this campaign, in the order in which they are asked."""
    kinds = sorted(_kinds.values(), key=lambda kind: kind.counts)
    found = []
    for kind in kinds:
        if (gate := kind.of(campaign)) is not None:
            gate.kind = kind.name
            found.append(gate)
    return found


def tells_when(why: str) -> bool:
    """Whether the moment that goes with `Later.why` is one that a person may wait for."""
    name, _colon, value = why.partition(":")
    return name not in _kinds or _kinds[name].tells_when(value)


def in_words(why: str) -> str:
    """A sentence from `Later.why`; the bare value of a kind that is not there any more."""
    name, _colon, value = why.partition(":")
    return _kinds[name].says(value) if name in _kinds else why


def stopping(name: str) -> str:
    """What a page says of the messages that a gate has stopped."""
    return str(_kinds[name].stops or name) if name in _kinds else name

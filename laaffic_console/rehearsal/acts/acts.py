"""What single acts have in common: a command for each, a name by which gateway and ledger know it, a person's steps."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from laaffic_console.rehearsal.acts.act_verdict import Row, Taken
from laaffic_console.rehearsal.installations.installation import Installation

APP_ID = "rehears1"
UNDECIDED = ("prepared", "in_flight", "unknown", "accepted")  # an act that is, or may be, at the gateway


class Ledger:
    """What the console says of its acts (manage.py rehearsal_acts)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.rows = [Row(**row) for row in document["rows"]]
        self.standing: dict[str, Any] = dict(document["standing"])

    def states(self, key: str) -> list[str]:
        return [row.state for row in self.rows if row.key == key]


class Acts(ABC):
    """`phases`: an act of a later one is about what an earlier one made."""

    product: ClassVar[str] = "voice"
    phases: ClassVar[int] = 1
    paths: ClassVar[Sequence[str]]  # the gateway's paths that take such acts
    gateway: ClassVar[Mapping[str, Any]] = {}
    finding_out: ClassVar[Sequence[Sequence[str]]]  # the commands that ask the gateway what happened to them

    def __init__(self, count: int, folder: Path) -> None:
        self.count = count
        self.folder = folder

    def options(self, console: Installation) -> dict[str, Any]:
        return dict(self.gateway)

    def prepare(self, console: Installation) -> None:
        """Prepare the console in calm weather, with everything running."""
        console.manage("register_app", APP_ID, "--channel", self.product)

    @abstractmethod
    def key(self, phase: int, number: int) -> str:
        """The key by which gateway and ledger know an act."""

    @abstractmethod
    def command(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        """The command that a person types for the act; [] where there is nothing to be done."""

    def again(self, phase: int, number: int, ledger: Ledger) -> Sequence[str]:
        """The command for an act that may be repeated once all is found out; [] where it is, or may be, done."""
        if any(state in UNDECIDED for state in ledger.states(self.key(phase, number))):
            return []
        return self.command(phase, number, ledger)

    def is_settled(self, ledger: Ledger) -> bool:
        """Whether the gateway can tell no more than the ledger says: here its list says also what it never took."""
        return not any(row.state == "unknown" for row in ledger.rows)

    def give_up(self, console: Installation, ledger: Ledger) -> None:  # noqa: B027 - most have nothing to say
        """A person's word about what nobody can find out."""

    def is_knowable(self, key: str) -> bool:
        """Whether evidence can settle a lost answer."""
        return True

    def is_repeated(self, key: str) -> bool:
        """Whether the console does it again by itself until an answer comes, as it reaches nobody."""
        return False

    def taken(self, console: Installation) -> list[Taken]:
        return list(self.read_acts(act for act in console.gateway.acts() if act["path"] in self.paths))

    @abstractmethod
    def read_acts(self, acts: Iterable[Mapping[str, Any]]) -> Iterable[Taken]:
        """The gateway's log of acts in our words."""

    @abstractmethod
    def differences(self, console: Installation, ledger: Ledger, taken: Sequence[Taken]) -> list[str]:
        """What the console shows otherwise than the gateway holds it."""


def read_ledger(console: Installation, channel: str) -> Ledger:
    return Ledger(json.loads(console.manage("rehearsal_acts", channel)))


def unlike(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The names under which the two say different things, with both."""
    names = sorted({*ours, *theirs})
    return [
        f"{name}: {ours.get(name)} here, {theirs.get(name)} at the gateway"
        for name in names
        if ours.get(name) != theirs.get(name)
    ]

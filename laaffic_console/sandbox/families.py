"""What a family of interfaces provides: its answers, its doors, and a view of what it received."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from laaffic_console.sandbox.call_log import CallLog
from laaffic_console.sandbox.courier import Courier
from laaffic_console.sandbox.options import CODES, Faults, Options
from laaffic_console.sandbox.protocol import REASONS
from laaffic_console.sandbox.store import Store

Answer = Callable[[dict[str, Any], float], dict[str, Any]]  # parameters of a call and the gateway's time → its answer
Door = Callable[[dict[str, Any]], Any]  # a body or query → the answer; ValueError says what is wrong with it


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    answer: Answer
    acts: bool = False  # it sends, rings or changes something: faults strike such calls unless they name paths


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts that all families share."""

    options: Options
    faults: Faults
    store: Store
    courier: Courier
    calls: CallLog

    def aged(self, now: float) -> float:
        """The time for everything that expires: the control that shifts it does not affect signatures."""
        return now + self.options.clock_shift


class FamilyOfInterfaces:
    """A family; each method that answers gets a call's parameters and the time, and returns the answer's body."""

    expired = "-16"  # the code for a timestamp that is out of tolerance
    reasons: Mapping[str, str] = REASONS
    fault_codes: Mapping[str, str] = CODES

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.options = gateway.options
        self.faults = gateway.faults
        self.store = gateway.store

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def doors(self) -> list[tuple[str, str, Door]]:
        """(method, path below /sandbox, function) for the controls of this family."""
        return []

    def received(self, now: float) -> dict[str, list[dict[str, Any]]]:
        """Title → rows of plain values, the newest first, for the page that shows what arrived."""
        return {}

    def forget(self) -> None:
        """Go back to how it started."""


def number_of(given: dict[str, Any], name: str, default: float, lowest: float, highest: float) -> float:
    """A number that a door was given, within its range."""
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise ValueError(f"{name} is a number from {lowest:g} to {highest:g}")
    return value


def count_of(given: dict[str, Any], name: str, default: int, lowest: int, highest: int) -> int:
    value = number_of(given, name, default, lowest, highest)
    if value != int(value):
        raise ValueError(f"{name} is a whole number")
    return int(value)


def texts_of(given: dict[str, Any], name: str) -> list[str]:
    value = given.get(name, [])
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError(f"{name} is a list of texts")
    return value

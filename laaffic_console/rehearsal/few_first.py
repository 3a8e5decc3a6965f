"""The few who go first, by the gateway's own log: nobody else before the decision, and no decision on fewer reports."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from laaffic_console.rehearsal.verdict import SAYS, Accepted

WAIT, LEAST, REPORTS = 0, 0, 50  # minutes; percent delivered, and of the few who must have a report: the usual


def arguments(size: str) -> list[str]:
    """Options of the command that makes the draft: decide as soon as allowed, and go on whatever the share is."""
    return ["--canary", size, "--canary-wait", str(WAIT), "--canary-least", str(LEAST)] if size else []


def findings(said: Mapping[str, Any] | None, accepted: Sequence[Accepted]) -> dict[str, list[str]]:
    """`said`: {"chosen": numbers, "size", "passed at": seconds since 1970, "figures"}, as the ledger has it."""
    if said is None or said["passed at"] is None:
        return {"few first": ["nothing was decided"]}
    chosen, passed_at = set(said["chosen"]), float(said["passed at"])
    ahead = [message for message in accepted if message.at < passed_at]
    others = sorted({message.number for message in ahead} - chosen)
    return {
        "left before the few were decided on": [f"{number}: not one of the few" for number in others],
        "few first": [*_size(said, chosen), *_decided(said["figures"], chosen, ahead, accepted)],
    }


def _size(said: Mapping[str, Any], chosen: set[str]) -> Iterator[str]:
    if len(chosen) != said["size"]:
        yield f"{len(chosen)} were chosen, and {said['size']} were to be"


def _decided(
    figures: Mapping[str, int], chosen: set[str], ahead: Sequence[Accepted], accepted: Sequence[Accepted]
) -> Iterator[str]:
    """What is wrong with the figures of the decision, against what the gateway did with the few."""
    reported = figures["delivered"] + figures["failed"]
    taken = {message.number for message in ahead} & chosen
    if reported < figures["wanted"] or 100 * reported < REPORTS * len(taken):
        yield f"decided on {reported} reports of {len(taken)} that the gateway had taken"
    if figures["left"] < len(taken):
        yield f"{figures['left']} of the few had left by the ledger, and the gateway had taken {len(taken)}"
    ends = {message.number: SAYS.get(message.state, message.state) for message in accepted if message.number in chosen}
    delivered = sum(state == "delivered" for state in ends.values())
    if figures["delivered"] > delivered or figures["failed"] > len(chosen) - delivered:
        yield f"decided on {dict(figures)}, and the gateway delivered {delivered} of {len(chosen)}"


def setting(said: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings and figures for the report."""
    if said is None or not said["figures"]:
        return {}
    figures = said["figures"]
    reported = figures["delivered"] + figures["failed"]
    return {
        "of them to go first": said["size"],
        "reports on which the rest was let go": f"{reported} of {figures['left']}, {figures['wanted']} wanted",
    }

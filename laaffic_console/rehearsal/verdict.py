"""What the gateway's own log says, held against the ledger, recipient by recipient."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

NOT_IN_RECORDS = "not in the vendor's records"
ENDED = frozenset({"delivered", "undelivered", "rejected", "expired", "suppressed", "cancelled"})
SAYS = {"delivered": "delivered", "failed": "undelivered"}  # the gateway's word → the ledger's


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that the gateway took, and how it ended there."""

    msg_id: str
    number: str
    state: str
    at: float = 0.0  # seconds since 1970, by the gateway's clock


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as the ledger has it."""

    number: str
    state: str
    gateway_id: str
    evidence: str
    campaign: int = 0
    message: int = 0
    left: float = 0.0  # when its last request did, in seconds since 1970 by the console's clock


@dataclass(slots=True)
class Verdict:
    """Numbers under each finding; all empty means that gateway and ledger agree about everybody."""

    duplicates: list[str] = field(default_factory=list)  # accepted more than once
    losses: list[str] = field(default_factory=list)  # not accepted, and no end in the ledger
    wrong: list[str] = field(default_factory=list)  # the ledger says something else than the gateway
    left_claimed: list[str] = field(default_factory=list)
    unknown_though_accepted: list[str] = field(default_factory=list)  # after reconciliation
    unexplained: list[str] = field(default_factory=list)  # never seen by the gateway, and the row does not say so
    after_opt_out: list[str] = field(default_factory=list)  # claimed although they were on the suppression list
    written_off: int = 0  # unknown, never seen by the gateway, and ended by a person's word

    def findings(self) -> dict[str, list[str]]:
        return {
            "accepted twice": self.duplicates,
            "lost": self.losses,
            "wrong state": self.wrong,
            "left claimed": self.left_claimed,
            "unknown though accepted": self.unknown_though_accepted,
            "unknown without saying that the records lack it": self.unexplained,
            "sent to after they opted out": self.after_opt_out,
        }

    @property
    def agrees(self) -> bool:
        return not any(self.findings().values())


def judge(
    *,
    recipients: Sequence[str],
    abnormal: Iterable[str],
    accepted: Sequence[Accepted],
    reconciled: Iterable[Entry],
    ended: Iterable[Entry],
    opted_out: Iterable[str] = (),
    after_opt_out: Iterable[str] = (),
    disobeyed: bool = False,
) -> Verdict:
    """`reconciled`: the ledger after all evidence was in. `ended`: when a person had written off what was left.

    `opted_out` said STOP on the way; of them the ledger claimed `after_opt_out` when it was known, and `disobeyed` says
    that not all of them came to be on the suppression list.
    """
    taken = {message.number: message for message in accepted}
    before = {entry.number: entry for entry in reconciled}
    after = {entry.number: entry for entry in ended}
    refused = set(abnormal)
    verdict = Verdict()
    counted = Counter(message.number for message in accepted)
    verdict.duplicates = [f"{number}: accepted {n} times" for number, n in sorted(counted.items()) if n > 1]
    verdict.left_claimed = sorted(entry.number for entry in before.values() if entry.state == "claimed")
    for number in sorted(n for n, entry in before.items() if entry.state == "unknown"):
        if number in taken:
            verdict.unknown_though_accepted.append(f"{number}: {before[number].evidence}{_late(before[number], taken)}")
        else:
            verdict.written_off += 1
            if NOT_IN_RECORDS not in before[number].evidence:
                verdict.unexplained.append(f"{number}: {before[number].evidence}")
    verdict.losses = list(_losses(recipients, taken, after))
    stopped = {number for number in opted_out if number not in taken}
    unsent = {number: entry for number, entry in after.items() if number in stopped and entry.state == "suppressed"}
    verdict.wrong = list(_wrong(recipients, refused, taken, {n: e for n, e in after.items() if n not in unsent}))
    verdict.after_opt_out = sorted(after_opt_out)
    if disobeyed:
        verdict.after_opt_out.append("not all who said STOP are on the suppression list")
    return verdict


def _late(entry: Entry, taken: Mapping[str, Accepted]) -> str:
    """A gateway that takes a request late enough leaves a record outside the request's own minutes."""
    at = taken[entry.number].at
    return f" (taken {at - entry.left:.1f} s after it left)" if at and entry.left else ""


def _losses(recipients: Sequence[str], taken: Mapping[str, Accepted], after: Mapping[str, Entry]) -> Iterator[str]:
    for number in recipients:
        entry = after.get(number)
        if entry is None:
            yield f"{number}: no message in the ledger"
        elif number not in taken and entry.state not in ENDED:
            yield f"{number}: {entry.state} for good"


def _wrong(
    recipients: Sequence[str], refused: set[str], taken: Mapping[str, Accepted], after: Mapping[str, Entry]
) -> Iterator[str]:
    invited = set(recipients)
    for number in sorted(set(taken) - invited | set(after) - invited):
        yield f"{number}: nobody asked for a message to it"
    for number in recipients:
        if entry := after.get(number):
            yield from _wrong_entry(entry, number in refused, taken.get(number))


def _wrong_entry(entry: Entry, is_abnormal: bool, message: Accepted | None) -> Iterator[str]:
    if message is None:
        right = {"rejected", "expired"} if is_abnormal else {"expired"}  # nobody tells of a lost answer what it said
        if entry.state in ENDED and entry.state not in right:
            yield f"{entry.number}: {entry.state} in the ledger, and the gateway never accepted it"
        elif entry.state == "expired" and NOT_IN_RECORDS not in entry.evidence and "written off" not in entry.evidence:
            yield f"{entry.number}: expired ({entry.evidence}), and nobody wrote it off"
        return
    if entry.state != SAYS.get(message.state, message.state):
        yield f"{entry.number}: {entry.state} in the ledger ({entry.evidence}), {message.state} at the gateway"
    elif entry.gateway_id != message.msg_id:
        yield f"{entry.number}: id {entry.gateway_id} in the ledger, {message.msg_id} at the gateway"

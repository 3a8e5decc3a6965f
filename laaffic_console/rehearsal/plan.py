"""What will happen in a rehearsal, decided by its seed alone: which process is struck, when, and which numbers are bad.

The same seed strikes the same kinds in the same order at the same points of the campaign. What a process was doing at
that moment is the machine's business, and differs a little each time.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class CommandKind(StrEnum):
    """The kinds of blows to a shell command that acts."""

    IN_FLIGHT = "command killed, its request under way"
    ANY_TIME = "command killed, at any time"
    STILL = "command stands still, longer than anybody waits for it"


class Kind(StrEnum):
    SUPERVISOR = "worker's supervisor"
    WORKER = "whole worker at once"
    CLUSTER = "cluster's parent"
    CHILD = "one process of a cluster"
    WEB = "whole web process"
    WEB_CHILD = "one child of the web process"
    CUT = "every connection to the gateway cut"
    DOWN = "gateway refuses connections"
    PAUSE = "cluster stopped, and goes on later"
    FREEZE = "cluster stopped for good"
    STILL = "whole worker stands still, longer than its leases"
    WEB_STILL = "web process stands still"
    HANG = "gateway takes requests and never answers"
    LATE = "gateway stands still, and takes late what waited"
    NAMELESS = "gateway's name does not resolve"
    CLOCK = "clock jumps, and jumps back"
    RESTART = "database restarts"


KILLS = (Kind.CHILD, Kind.CLUSTER, Kind.SUPERVISOR, Kind.WEB, Kind.WORKER, Kind.WEB_CHILD)  # by SIGKILL
KILL_WEIGHTS = (8, 4, 4, 2, 2, 2)
API_KILLS = (Kind.WEB_CHILD, Kind.WEB, Kind.CHILD, Kind.SUPERVISOR, Kind.CLUSTER, Kind.WORKER)
API_KILL_WEIGHTS = (8, 4, 3, 2, 2, 2)  # where clients ask, what answers them is struck most
DISTURBANCES = (  # on top of the kills
    *(Kind.CUT, Kind.DOWN, Kind.PAUSE, Kind.FREEZE, Kind.STILL, Kind.HANG, Kind.LATE, Kind.NAMELESS, Kind.CLOCK),
    *(Kind.RESTART, Kind.WEB_STILL),
)
DISTURBANCE_WEIGHTS = (5, 3, 2, 1, 2, 2, 2, 2, 2, 2, 1)
DISTURBANCE_EVERY = 4  # kills
Disturbances = int | Sequence[Kind] | None  # how many, or which; None: one for every few kills
SECONDS_A_STRIKE = 2  # where a campaign is made to last

COMMAND_WEIGHTS = (4, 4, 1, 2)  # none, and each kind
MOST_IN_A_REQUEST = 50
SINGLE = 0.5  # the share of the requests that ask for one message
LONGEST_AFTER = {CommandKind.IN_FLIGHT: 0.5, CommandKind.ANY_TIME: 4.0, CommandKind.STILL: 0.4}  # seconds

FIRST_SHARE, LAST_SHARE = 0.02, 0.75  # of the recipients; some are never accepted, so the last must come before the end
HURRIED = 0.3  # so many follow the one before within seconds, in the middle of its recovery
HURRY_SECONDS = (0.2, 6.0)
ABNORMAL_EVERY = 2000  # recipients
FIRST_NUMBER = 919_876_500_000


@dataclass(frozen=True, slots=True)
class Blow:
    """One strike: when the gateway has accepted a share of the recipients, or some seconds after the one before."""

    kind: Kind
    at_share: float | None
    after_seconds: float
    choice: float  # 0 to 1: which of those that could be struck, and for how long where that is open

    def pick(self, count: int) -> int:
        return min(int(self.choice * count), count - 1)

    def length(self, shortest: float, longest: float) -> float:
        return shortest + self.choice * (longest - shortest)


@dataclass(frozen=True, slots=True)
class CommandBlow:
    kind: CommandKind
    after_seconds: float  # counted from its start, or from when its request is under way


def command_blows(seed: int, commands: int) -> list[CommandBlow | None]:
    """The blow for each command in turn; None leaves the command alone."""
    chance = random.Random(f"commands {seed}")  # noqa: S311
    kinds = chance.choices([None, *CommandKind], COMMAND_WEIGHTS, k=commands)
    return [kind and CommandBlow(kind, chance.uniform(0, LONGEST_AFTER[kind])) for kind in kinds]


def blows(seed: int, kills: int, disturbances: Disturbances = None, *, of_api: bool = False) -> list[Blow]:
    """The kills and disturbances (unless given, one for every few kills), in the order in which they come."""
    chance = random.Random(f"blows {seed}")  # noqa: S311 - repeatable on purpose
    kinds = _some(chance, *((API_KILLS, API_KILL_WEIGHTS) if of_api else (KILLS, KILL_WEIGHTS)), kills)
    if disturbances is None:
        # A process that is started while the clock is wrong cannot know it (docs/reliability.md): only if asked.
        chosen = dict(zip(DISTURBANCES, DISTURBANCE_WEIGHTS, strict=True))
        del chosen[Kind.CLOCK]
        kinds += _some(chance, [*chosen], [*chosen.values()], kills // DISTURBANCE_EVERY)
    elif isinstance(disturbances, int):
        kinds += _some(chance, DISTURBANCES, DISTURBANCE_WEIGHTS, disturbances)
    else:
        kinds += disturbances
    chance.shuffle(kinds)
    shares = sorted(chance.uniform(FIRST_SHARE, LAST_SHARE) for _ in kinds)
    return [
        Blow(
            kind,
            # The first must wait for the campaign to run.
            None if number and chance.random() < HURRIED else share,
            chance.uniform(*HURRY_SECONDS),
            chance.random(),
        )
        for number, (kind, share) in enumerate(zip(kinds, shares, strict=True))
    ]


def _some(chance: random.Random, kinds: Sequence[Kind], weights: Sequence[int], count: int) -> list[Kind]:
    """Each kind once while there is room, and the rest by weight."""
    certain = list(kinds[:count])
    return certain + chance.choices(kinds, weights, k=count - len(certain))


def numbers(recipients: int) -> list[str]:
    """Mobile numbers of India, one after the other."""
    return [str(FIRST_NUMBER + index) for index in range(recipients)]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks the API for, under an Idempotency-Key of its own."""

    key: str
    numbers: Sequence[str]


def requests(seed: int, of: Sequence[str]) -> list[Request]:
    """Every number in one of them: half of the requests have one recipient, the others up to fifty."""
    chance = random.Random(f"requests {seed}")  # noqa: S311
    made: list[Request] = []
    at = 0
    while at < len(of):
        size = 1 if chance.random() < SINGLE else chance.randint(2, MOST_IN_A_REQUEST)
        made.append(Request(f"rehearsal-{seed}-{len(made)}", tuple(of[at : at + size])))
        at += size
    return made


def abnormal(seed: int, of: Sequence[str]) -> list[str]:
    """The few numbers that the gateway calls abnormal (−9)."""
    chance = random.Random(f"abnormal {seed}")  # noqa: S311
    return sorted(chance.sample(of, max(1, len(of) // ABNORMAL_EVERY))) if of else []


def recipients_per_call(recipients: int, strikes: int) -> int:
    """As many recipients as a POST may carry, but so few that each strike meets several calls."""
    return max(10, min(1000, recipients // max(50, 20 * strikes)))


def rate(recipients: int, strikes: int) -> int:
    """Messages a second, so few that a campaign lasts until its last blow."""
    return max(1, recipients // max(1, SECONDS_A_STRIKE * strikes))

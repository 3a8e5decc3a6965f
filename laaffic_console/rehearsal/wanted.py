"""What a rehearsal is asked to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from laaffic_console.rehearsal.plan import Disturbances


@dataclass(frozen=True, slots=True)
class Outage:
    """`what` is "database" or "redis"; it begins when this share of the recipients is through."""

    what: str
    seconds: float
    at_share: float


@dataclass(slots=True)
class Wanted:
    recipients: int  # or acts, on a channel of single acts
    kills: int
    seed: int
    workers: int
    database: str  # addresses, of stores that are this rehearsal's own
    redis: str
    folder: Path
    command: str
    channel: str = "sms"
    disturbances: Disturbances = None
    outages: Sequence[Outage] = ()
    opt_outs: float = 0.0  # share of the recipients who say STOP in the middle
    canary: str = ""  # so many of the recipients first, "50" or "20%"
    cap: bool = False  # two campaigns to the same people at once, and one message a day for each of them
    upgrade_from: Path | None = None  # the version that runs until the middle
    tell: Callable[[str], None] = field(default=lambda said: None)

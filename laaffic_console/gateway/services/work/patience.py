"""How long a job may go on asking Laaffic: a gateway that hangs on each request must not outlast the job.

A job that lasts longer than Q_CLUSTER["timeout"] is killed with its process, in the middle of whatever it does. A
request may take all of LAAFFIC_TIMEOUTS, so none begins any more when only that and a little are left.
"""

import math
import time

from django.conf import settings

from laaffic_console.gateway.services.work import leases, workers
from laaffic_console.laaffic import IncompleteList

SPARE = 20.0  # seconds for what is done before the first request and with the last answer
# Longer than the longest answer: who waits for one cannot renew.
LEASE_SECONDS = max(leases.LEASE_SECONDS, sum(settings.LAAFFIC_TIMEOUTS) + 15)


class NotAsked(IncompleteList):
    """The request never left as the time was up, or another is at it: nobody's last question was put."""


class Patience:
    """How long a task may ask, from now on; `may_ask` also keeps the lease and shows that the worker lives."""

    def __init__(self, lease: leases.HeldLease | None = None, *, seconds: float | None = None) -> None:
        self.ends = time.monotonic() + (_seconds() if seconds is None else seconds)
        self.lease = lease

    def at_most(self, seconds: float) -> "Patience":
        """No longer than this one, and no longer than so many seconds from now."""
        return Patience(self.lease, seconds=min(seconds, self.ends - time.monotonic()))

    def is_over(self) -> bool:
        return time.monotonic() >= self.ends

    def may_ask(self) -> bool:
        workers.beat_through_request()
        if not self.is_over() and self.lease is not None and not self.lease.renew():
            self.ends = -math.inf  # another is at it
        return not self.is_over()

    def check(self, interface: str) -> None:
        """NotAsked where nothing more may be asked for: what was not read says nothing."""
        if not self.may_ask():
            raise too_long(interface)


def too_long(interface: str) -> NotAsked:
    return NotAsked("the rest was not asked for: it takes too long", interface=interface)


def _seconds() -> float:
    return float(settings.Q_CLUSTER["timeout"]) - sum(settings.LAAFFIC_TIMEOUTS) - SPARE


ENDLESS = Patience(seconds=math.inf)  # outside a worker, where nobody kills it

"""A sweep that works itself, and may take longer than the five seconds to the next: two of them never run at once.

The next one that is rung for until then ends at once. What a killed one left undone the first after its lease finds.
"""

from collections.abc import Callable

from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.work import leases


def run(name: str, *steps: Callable[[], object]) -> None:
    """The steps one after the other, unless the sweep of this name is still at them.

    A step that outlasts the lease lets the next sweep begin beside it; this one goes on anyway, or the steps
    behind a slow one would never have their turn.
    """
    with leases.lease(f"sweep:{name}") as lease:
        if lease is None:
            return
        for step in steps:
            isolation.run_all(step, lease.renew)

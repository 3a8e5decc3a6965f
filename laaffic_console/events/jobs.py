"""The queue's jobs for events: each finds its work in our own tables, so a second call changes nothing."""

from laaffic_console.events.services import delivering, retention
from laaffic_console.gateway.services.database import isolation


def deliver() -> None:
    delivering.deliver()


def sweep() -> None:
    isolation.run_all(delivering.ring_if_due, retention.sweep)

"""What the queue calls for the gateway itself."""

from laaffic_console.gateway.services import bell, workers


def heartbeat() -> None:
    """Runs inside a worker: that it runs is the news."""
    workers.beat()


def sweep() -> None:
    workers.beat()
    bell.ring_sweeps()

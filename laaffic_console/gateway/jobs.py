"""What the queue calls for the gateway itself."""

from laaffic_console.gateway.services import account_hold, bell, leases, workers


def heartbeat() -> None:
    """Runs inside a worker: that it runs is the news."""
    workers.beat()


def sweep() -> None:
    leases.free(workers.SWEEP_RUNG)
    workers.beat()
    bell.ring_sweeps()
    if account_hold.probe_due():
        bell.ring(account_hold.PROBE_JOB)


def probe_account() -> None:
    account_hold.probe()

"""The queue's jobs for the gateway itself."""

from laaffic_console.gateway.services.account import account_hold, account_watch
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.inbox import inbox_retention
from laaffic_console.gateway.services.work import bell, forgetting, leases, long_jobs, workers


def heartbeat() -> None:
    """Runs inside a worker: that it runs is the news."""
    workers.beat()


def sweep() -> None:
    leases.free(workers.SWEEP_RUNG)
    workers.beat()
    isolation.run_all(
        bell.ring_sweeps,
        forgetting.sweep,
        leases.forget_old,
        _probe_if_due,
        _read_if_due,
        long_jobs.ring_for_waiting,
        inbox_retention.sweep,
    )
    workers.note_sweep()


def _probe_if_due() -> None:
    if account_hold.probe_due():
        bell.ring(account_hold.PROBE_JOB)


def _read_if_due() -> None:
    if account_watch.is_due():
        bell.ring(account_watch.READ_JOB)


def read_balance() -> None:
    account_watch.read()


def probe_account() -> None:
    account_hold.probe()

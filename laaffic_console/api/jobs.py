"""What the queue calls for the API, and a restore."""

from laaffic_console.api import idempotency
from laaffic_console.gateway.services import isolation


def sweep() -> None:
    isolation.run_all(idempotency.forget_old)


def after_restore() -> None:
    idempotency.lose_running()

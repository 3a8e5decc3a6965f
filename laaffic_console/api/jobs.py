"""What the queue calls for the API."""

from laaffic_console.api import idempotency
from laaffic_console.gateway.services import isolation


def sweep() -> None:
    isolation.run_all(idempotency.forget_old)

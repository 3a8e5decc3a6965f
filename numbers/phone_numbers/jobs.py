"""Jobs of the queue: each looks for work in our own tables, so a second call changes nothing."""

from laaffic_console.gateway.services.database import isolation
from phone_numbers.services import binding_evidence, lost_requests, scheduling


def sync(name: str) -> None:
    scheduling.run(name)


def sweep() -> None:
    isolation.run_all(lost_requests.recover, scheduling.ring_due, binding_evidence.lapse)

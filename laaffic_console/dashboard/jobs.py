"""What the queue calls for the pages."""

from laaffic_console import uploads
from laaffic_console.dashboard import sent_once
from laaffic_console.gateway.services import isolation


def sweep() -> None:
    isolation.run_all(sent_once.forget_old, uploads.sweep)

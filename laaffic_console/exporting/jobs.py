"""The queue's jobs for exports: each finds its work in our own tables, so a second call changes nothing."""

from laaffic_console.exporting.services import keeping, making
from laaffic_console.gateway.services.database import isolation


def make_exports() -> None:
    making.make_next()


def sweep() -> None:
    isolation.run_all(keeping.sweep)

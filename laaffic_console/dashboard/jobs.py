"""The queue's jobs for the pages."""

from laaffic_console.audit.services import chain, retention
from laaffic_console.dashboard import sent_once
from laaffic_console.gateway.services.database import isolation
from laaffic_console.identity.services import sessions
from laaffic_console.kit.files import uploads


def sweep() -> None:
    isolation.run_all(sent_once.forget_old, uploads.sweep, chain.seal, retention.prune_if_due, sessions.forget_ended)

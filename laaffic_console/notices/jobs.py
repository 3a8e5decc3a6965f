"""The queue's jobs for notices: each finds its work in our own tables, so a second call changes nothing."""

from laaffic_console.gateway.services.database import isolation
from laaffic_console.notices.services import handing_out, mailing, retention, watching


def hand_out() -> None:
    handing_out.hand_out()


def mail() -> None:
    mailing.send_due()


def sweep() -> None:
    isolation.run_all(watching.look_if_due, handing_out.ring_for_waiting, mailing.ring_if_due, retention.sweep)

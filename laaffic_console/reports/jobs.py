"""The queue's jobs for reports, and a restore's: each finds its work in our own tables, so a second call changes
nothing.
"""

from django.utils import timezone

from laaffic_console.gateway.services.database import isolation
from laaffic_console.reports.models import ReportLink
from laaffic_console.reports.services import mailing, schedule


def send_next() -> None:
    mailing.send_next()


def send(sending_id: int) -> None:
    """The job that the version before rang: an upgrade finds its bells in the queue."""
    mailing.send_next()


def sweep() -> None:
    isolation.run_all(schedule.take_due, mailing.note_broken_off)


def after_restore() -> dict[str, int]:
    schedule.leave_out_past()
    mailing.break_off_restored()
    return {"links": ReportLink.objects.filter(expires_at__gt=timezone.now()).count()}

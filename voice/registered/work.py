"""Which jobs do voice's work: by the sweep, at a moment, for what was pushed; and how long each may take."""

from laaffic_console.gateway.models import PushKind
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import bell, moments
from voice.services.group_calls import waiting as group_waiting
from voice.services.records import pushes
from voice.services.syncing import COPIES


def register_all() -> None:
    bell.sweep_with("voice.jobs.sweep")
    COPIES.may_take_long()
    moments.await_with(group_waiting.START_JOB, group_waiting.launches_due)
    inbox.applied_by(PushKind.VOICE_REPORT, pushes.INBOX.job, is_retried=True)
    inbox.applied_by(PushKind.VOICE_RINGING, pushes.RINGING.job)

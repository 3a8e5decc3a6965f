"""Which jobs do messaging's work: by the sweep, at a moment, for what was pushed; and how long each may take."""

from django.conf import settings

from laaffic_console.gateway.models import PushKind
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.database import perseverance
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import bell, long_jobs, moments
from laaffic_console.gateway.services.work.long_jobs import LongJob
from messaging import job_names
from messaging.services.batches import waiting
from messaging.services.campaigns import starting
from messaging.services.email import callbacks
from messaging.services.email import deliveries as email_deliveries
from messaging.services.email import starting as email_starting
from messaging.services.figures import proofs
from messaging.services.imports import consent_imports, imports, uploaded
from messaging.services.imports import forecast as import_forecast
from messaging.services.replies import reply_pulls, reply_pushes
from messaging.services.reports import report_pulls, report_pushes


def register_all() -> None:
    bell.sweep_with("messaging.jobs.sweep")
    account_hold.follow_with(job_names.FOLLOW_ACCOUNT)
    long_jobs.register(LongJob(proofs.JOB, proofs.is_waiting, proofs.TASK_SECONDS))
    _register_times()
    _register_moments()
    inbox.applied_by(PushKind.SMS_REPORT, report_pushes.INBOX.job, is_retried=True)
    inbox.applied_by(PushKind.SMS_REPLY, reply_pushes.INBOX.job)
    inbox.applied_by(PushKind.EMAIL_REPORT, callbacks.INBOX.job, is_retried=True)


def _register_times() -> None:
    bell.may_take(job_names.SEND_CAMPAIGN, perseverance.PATIENCE + settings.Q_CLUSTER["timeout"])
    for asks in (report_pulls.JOB, email_deliveries.JOB, reply_pulls.JOB):
        bell.may_take(asks, report_pulls.task_seconds())
    for reads_a_file in (imports.JOB, import_forecast.JOB, consent_imports.JOB):
        bell.may_take(reads_a_file, uploaded.TASK_SECONDS)


def _register_moments() -> None:
    moments.await_with(starting.START_JOB, starting.launches_due)
    moments.await_with(job_names.SEND_CAMPAIGN, waiting.moments_due)
    moments.await_with(email_starting.START_JOB, email_starting.launches_due)
    moments.await_with(email_starting.MOMENT_JOB, email_starting.requests_due)

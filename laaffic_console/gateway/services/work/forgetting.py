"""Forget after a month what libraries keep: failed sign-ins, and failed jobs, whose tracebacks may hold numbers;
and workers that were killed.

Their tables have no index for it, so they are looked through now and then, not at each sweep.
"""

import datetime as dt
import time

from axes.models import AccessAttempt
from django.utils import timezone
from django_q.models import Failure

from laaffic_console.gateway.services.work import workers

KEPT = dt.timedelta(days=30)
EVERY = 600.0  # seconds, in each process
AT_ONCE = 5000

_next_at = 0.0


def sweep() -> None:
    global _next_at
    if time.monotonic() >= _next_at:
        _next_at = time.monotonic() + EVERY
        forget_sign_ins()
        forget_failed_jobs()
        workers.forget_gone()


def forget_sign_ins() -> int:
    """How many were forgotten."""
    return int(AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - KEPT).delete()[0])


def forget_failed_jobs() -> int:
    """Some of them: a job that has failed at each sweep for a month has left half a million; how many."""
    old = Failure.objects.filter(stopped__lt=timezone.now() - KEPT).order_by().values_list("pk", flat=True)
    return int(Failure.objects.filter(pk__in=list(old[:AT_ONCE])).delete()[0])

"""What is kept of failed sign-ins is looked at for a month and then gone."""

import datetime as dt

from axes.models import AccessAttempt
from django.utils import timezone

KEPT = dt.timedelta(days=30)


def forget_old() -> int:
    """How many were forgotten."""
    return int(AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - KEPT).delete()[0])

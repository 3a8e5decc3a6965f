"""Notices are kept for some days, read or not."""

import datetime as dt

from django.conf import settings
from django.utils import timezone

from laaffic_console.notices.models import Notice

AT_ONCE = 1000


def sweep(now: dt.datetime | None = None) -> int:
    """A piece a sweep, the oldest first; how many."""
    before = (now or timezone.now()) - settings.NOTICES_KEPT
    old = list(Notice.objects.filter(last_at__lt=before).order_by("last_at").values_list("pk", flat=True)[:AT_ONCE])
    if old:
        Notice.objects.filter(pk__in=old).delete()
    return len(old)

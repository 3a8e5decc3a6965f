"""Events and the log of their deliveries are kept for some days, whether they could be delivered or not."""

import datetime as dt

from django.conf import settings
from django.utils import timezone

from laaffic_console.events.models import Delivery, Event

AT_ONCE = 1000


def sweep(now: dt.datetime | None = None) -> int:
    """A piece a sweep, the oldest first; how many."""
    before = (now or timezone.now()) - settings.WEBHOOKS_KEPT
    oldest = Event.objects.order_by("pk").values_list("pk", "created_at")[:AT_ONCE]
    old = [pk for pk, created_at in oldest if created_at < before]
    if old:
        Delivery.objects.filter(event__in=old).delete()
        Event.objects.filter(pk__in=old).delete()
    return len(old)

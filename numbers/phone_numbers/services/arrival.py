"""How long a request with a lost answer may still be on its way at Laaffic, before its absence proves anything."""

import datetime as dt

from django.conf import settings

ARRIVES_WITHIN = dt.timedelta(seconds=settings.NUMBERS_GRACE_SECONDS)

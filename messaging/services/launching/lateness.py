"""A campaign that missed its moment by too much, because nothing ran then, is held for a person, not started."""

import datetime as dt

from django.conf import settings

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.words.said import gettext as _

ON_TIME = dt.timedelta(minutes=1)  # the sweeper comes twice a minute


def allowed(minutes: int | None = None) -> dt.timedelta:
    """How long after its time it may still start by itself; `minutes`: its own limit.

    0 is "on time or not at all", and on time is whenever the sweeper comes by.
    """
    given = settings.LAAFFIC_LATEST_START_MINUTES if minutes is None else minutes
    return max(dt.timedelta(minutes=given), ON_TIME)


def long_past(starts_at: dt.datetime | None, limit: dt.timedelta) -> str:
    """The sentence where a launch that no page was shown for names a moment that is gone; "" for one a little late.

    Its year may be mistyped, and all of it would leave at once. A page asks for a tick instead.
    """
    if starts_at is None or database_clock.now() - starts_at <= limit:
        return ""
    return _("This moment has passed. Choose a later one, or leave it empty to start at once.")


def too_late(starts_at: dt.datetime, limit: dt.timedelta) -> str:
    """The sentence with which it is held; "" while it may start."""
    late = database_clock.now() - starts_at
    if late <= limit:
        return ""
    return _("It is %(late)d minutes past its time, and %(limit)d is the limit. Resume to send it now.") % {
        "late": late.total_seconds() // 60,
        "limit": limit.total_seconds() // 60,
    }

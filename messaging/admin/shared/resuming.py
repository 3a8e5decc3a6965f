"""What a page says of a latest end beside its button, so that none is lifted by a page that did not show it."""

import datetime as dt

from django.http import HttpRequest

from messaging.services.gates import sending_hours

PAST_END = "past_end"


def shown(latest_end: dt.datetime | None, hold_reason: str) -> str:
    """The name that its button posts where its page asks about its end."""
    return PAST_END if sending_hours.is_held_by(latest_end, hold_reason) else ""


def asked(request: HttpRequest) -> dict[str, bool]:
    """As a service's resume takes it; a row of a list carries it in its address."""
    return {"past_end": PAST_END in request.POST or PAST_END in request.GET}

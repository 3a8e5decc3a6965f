"""What a page says of a latest end beside its button, so that none is lifted by a page that did not show it."""

from django.http import HttpRequest

from messaging.models.launched import Launched
from messaging.services.gates import sending_hours

PAST_END = "past_end"


def shown(held: Launched) -> str:
    """The name that its button posts where its page asks about its end."""
    return PAST_END if sending_hours.is_held_by_end(held) else ""


def asked(request: HttpRequest) -> dict[str, bool]:
    """As a service's resume takes it; a row of a list carries it in its address."""
    return {"past_end": PAST_END in request.POST or PAST_END in request.GET}

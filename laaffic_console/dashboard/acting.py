"""Who acts in a request: anyone who is signed in when something is recorded."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from laaffic_console.kit.audit.acts import Actor, acting
from laaffic_console.kit.masking import masks
from laaffic_console.kit.requests.client_address import client_address


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting(lambda: _of(request)):
            return self.get_response(request)


def _of(request: HttpRequest) -> Actor:
    address, query = client_address(request), request.META.get("QUERY_STRING", "")[:1000]
    if not request.user.is_authenticated:
        return Actor(None, "", address, query)  # nobody is shown anything; a push is stored as it came
    user = request.user
    return Actor(user.pk, user.get_username(), address, query, sees_numbers=user.has_perm(masks.SEE))

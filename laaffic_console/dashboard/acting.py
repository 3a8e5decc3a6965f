"""Who acts in a request: whoever is signed in when something is recorded."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from laaffic_console.gateway.webhooks import client_address
from laaffic_console.kit.acts import Actor, acting


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting(lambda: _of(request)):
            return self.get_response(request)


def _of(request: HttpRequest) -> Actor:
    name = request.user.get_username() if request.user.is_authenticated else ""
    return Actor(request.user.pk, name, client_address(request), request.META.get("QUERY_STRING", "")[:1000])

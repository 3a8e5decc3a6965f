"""Between signing in and the first page: who must have a second factor sets one up before anything else opens."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from laaffic_console.identity import factors, sessions

OPEN = ("login", "logout", "jsi18n")  # of the admin


class FactorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not request.path.startswith(reverse("admin:index")) or not isinstance(request.user, User):
            return None
        sessions.note(request, request.user)
        is_open = request.resolver_match is not None and request.resolver_match.url_name in OPEN
        if is_open or not factors.is_missing(request.user):
            return None
        return HttpResponseRedirect(reverse("mfa_index"))

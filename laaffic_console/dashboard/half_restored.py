"""No page of a database whose restore was cut short: what it says may have been replaced by half."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from laaffic_console.dashboard.health.any_host import PATHS
from laaffic_console.kit.sql import unfinished_restores

API = "/api/"  # answers in its own form (api/authentication.py)


class HalfRestoredMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in PATHS and not request.path_info.startswith(API):
            unfinished_restores.refuse_if_it_answers()
        return self.get_response(request)

"""Between signing in and the first page: who must have a second factor sets one up before anything else opens."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from laaffic_console.identity.services import factors, sessions
from laaffic_console.identity.services.factors import WANTED
from laaffic_console.kit.forms.asking_again import DoneLater
from laaffic_console.kit.forms.kept_forms import ENDS_AT, forget

OPEN = ("login", "logout", "jsi18n")  # pages of the admin


class FactorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not request.path.startswith(reverse("admin:index")) or not isinstance(request.user, User):
            return None
        sessions.note(request, request.user)
        if request.resolver_match is not None and request.resolver_match.url_name in OPEN:
            return None
        if factors.is_missing(request.user):
            return _to_set_up(request)
        if _is_asked_by_person(request):
            _forget_what_was_wanted(request)
        return None


def _forget_what_was_wanted(request: HttpRequest) -> None:
    """Forget the page and the form that were wanted: their person has gone on to another page."""
    if WANTED in request.session:
        del request.session[WANTED]
    if ENDS_AT in request.session:
        forget(request)


def _to_set_up(request: HttpRequest) -> HttpResponse:
    """Lead to the setup of a factor. The page that was asked for comes afterwards, and a sent form is shown again."""
    if request.method == "POST" and _is_asked_by_person(request):
        return DoneLater(reverse("mfa_index"), ends_at="mfa_view_recovery_codes")
    if request.method == "GET" and _is_asked_by_person(request):
        request.session[WANTED] = request.get_full_path()
    return HttpResponseRedirect(reverse("mfa_index"))


def _is_asked_by_person(request: HttpRequest) -> bool:
    """Whether a person asked for the page; False for what an open page fetches by itself."""
    is_page = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    return is_page and "X-Requested-With" not in request.headers

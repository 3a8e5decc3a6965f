"""Addresses and forms that hold what no database can look for: said in a sentence, never an error 500.

A list answers what its filters offer (console_admin.py); anything else in its address is refused there, and here the
list is shown without it. Beyond that only what a database alone can tell is caught: a value that its column cannot
hold. A fault of ours stays a fault, whatever the address says.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.contrib.admin.views.main import ERROR_FLAG
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from laaffic_console.kit.words.plain_text import plain

log = logging.getLogger(__name__)

NUL = "\0"
SEARCHES = ("q", "term")  # parameters of lists, and of fields that complete what is typed
REFUSED = (DisallowedModelAdminLookup, DisallowedModelAdminToField)
# SQLite's words for what is wrong with a question, and not with the database.
OF_THE_QUESTION = ("user-defined function", "syntax error", "too big", "too complex", "too many")


class OddRequestMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", ""):
            request.GET = without_nul(request.GET)  # type: ignore[assignment]
        response = self.get_response(request)
        return _shown_without_filters(request) if _is_of_wrong_filters(request, response) else response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Nobody types a NUL, and PostgreSQL takes none. Pushes are left alone: they are kept as they came.

        What is pasted into a search brings marks that nobody sees: no list looks for those.
        """
        if is_of_admin(request) and any(not request.GET.get(name, "").isascii() for name in SEARCHES):
            request.GET = with_plain_searches(request.GET)  # type: ignore[assignment]
        if request.method == "POST" and is_of_admin(request) and _has_nul(request.POST):
            request.POST = without_nul(request.POST)  # type: ignore[assignment]

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        if request.method not in ("GET", "HEAD") or not request.GET or not is_of_admin(request):
            return None
        if not is_unanswerable(problem):
            return None
        said = f"{type(problem).__name__}: {problem}".splitlines()[0]
        log.warning("%s cannot be shown with its query, so it is shown without: %s", request.path, said[:300])
        return _shown_without_filters(request)


def _is_of_wrong_filters(request: HttpRequest, response: HttpResponse) -> bool:
    """A list that refuses a word of a filter (IncorrectLookupParameters) leads to itself, and Django says nothing."""
    refused = f"{request.path}?{ERROR_FLAG}=1"
    return response.status_code == HTTPStatus.FOUND and response.get("Location") == refused and is_of_admin(request)


def _shown_without_filters(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("The filters in the address are not valid. Everything is shown instead."))
    return HttpResponseRedirect(request.path)


def is_of_admin(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and ("admin" in match.app_names or match.route.startswith("admin/"))


def is_unanswerable(problem: Exception) -> bool:
    """Whether the question is at fault (SQLite wraps errors of its Python functions), not a database locked or away."""
    if isinstance(problem, OperationalError):
        return any(words in str(problem) for words in OF_THE_QUESTION)
    return isinstance(problem, (*REFUSED, DataError))


def without_nul(given: QueryDict) -> QueryDict:
    cleaned = QueryDict(mutable=True)
    for name, values in given.lists():
        cleaned.setlist(name.replace(NUL, ""), [value.replace(NUL, "") for value in values])
    cleaned._mutable = False
    return cleaned


def with_plain_searches(given: QueryDict) -> QueryDict:
    made = given.copy()
    for name in SEARCHES:
        if name in given:
            made[name] = plain(given.get(name, ""))
    made._mutable = False
    return made


def _has_nul(given: QueryDict) -> bool:
    return any(NUL in name or any(NUL in value for value in values) for name, values in given.lists())

"""What is far-reaching asks who is there once more, unless that was proved a short while ago.

A sign-in proves it, and so does a password or a second factor that is asked for again; the session keeps when.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

PROVED = "proved_at"  # in the session


def note(request: HttpRequest) -> None:
    request.session[PROVED] = time.time()


def is_fresh(request: HttpRequest) -> bool:
    lasts = settings.LAAFFIC_REAUTHENTICATE_MINUTES * 60
    return not lasts or time.time() - request.session.get(PROVED, 0) < lasts


def ask(request: HttpRequest, back: str = "") -> HttpResponse | None:
    """The way to the question, which leads back; None when there is no need. What a form held is kept (kept_forms)."""
    if not request.user.is_authenticated or is_fresh(request):
        return None
    wanted = back or request.get_full_path()
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': wanted})}")


def asked_first(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """On a view, or a method of an admin class."""

    @wraps(view)
    def asking(*args: Any, **kwargs: Any) -> HttpResponse:
        request = args[0] if isinstance(args[0], HttpRequest) else args[1]
        return ask(request) or view(*args, **kwargs)

    return asking

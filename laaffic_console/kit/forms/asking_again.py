"""Far-reaching acts ask once more who is there, unless that was proved a short while ago.

A sign-in proves it, and so does a password or a second factor that is asked for again; the session keeps when. Who
signs in by a provider has proved it when the provider last asked, which may be long ago.
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


def note(request: HttpRequest, at: float | None = None) -> None:
    """`at`: seconds since 1970, where it was proved to somebody else, before now."""
    now = time.time()
    request.session[PROVED] = now if at is None else min(at, now)


def is_fresh(request: HttpRequest) -> bool:
    lasts = settings.LAAFFIC_REAUTHENTICATE_MINUTES * 60
    return not lasts or time.time() - request.session.get(PROVED, 0) < lasts


class DoneLater(HttpResponseRedirect):
    """A redirect to what has to be done first. With `keeps_form` what a form held is kept (kept_forms).

    `ends_at`: the name of the page whose POST is the end of it; "" where that is a proof of who is there.
    """

    def __init__(self, address: str, *, keeps_form: bool = True, ends_at: str = "") -> None:
        self.keeps_form, self.ends_at = keeps_form, ends_at
        super().__init__(address)


class AskedFirst(DoneLater):
    """A redirect to the page that asks again who is there, and leads back."""

    def __init__(self, back: str, *, keeps_form: bool = True) -> None:
        address = f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
        super().__init__(address, keeps_form=keeps_form)


def ask(request: HttpRequest) -> HttpResponse | None:
    """A redirect to the proof of who is there; None when there is no need."""
    if not request.user.is_authenticated or is_fresh(request):
        return None
    return AskedFirst(request.get_full_path())


def ask_over(request: HttpRequest, people: int | None) -> HttpResponse | None:
    """Like `ask`, for what reaches or takes away many people at once; an unknown number (None) counts as many."""
    most = settings.LAAFFIC_REAUTHENTICATE_OVER
    if not most or is_fresh(request) or (people is not None and people <= most):
        return None
    return AskedFirst(request.get_full_path(), keeps_form=False)


def asked_first(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorates a view, or a method of an admin class, that needs a fresh proof of who is there."""

    @wraps(view)
    def asking(*args: Any, **kwargs: Any) -> HttpResponse:
        request = args[0] if isinstance(args[0], HttpRequest) else args[1]
        return ask(request) or view(*args, **kwargs)

    return asking

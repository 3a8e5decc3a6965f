"""A page with a form that adds something adds it once: what is sent again from the same page, word for word, leads to
what the first one made.

Django masks the token of a form again for each page, so it says which page a form came from. The same page with other
words in it (somebody has gone back and typed) is a form of its own. Calls and bindings are kept from being made twice
in the same way.
"""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import CSRF_TOKEN_LENGTH
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.dashboard.models import SentForm
from laaffic_console.kit.forms.asking_again import DoneLater

SHOWING_A_SECRET = (
    "apitoken_make",
    "apitoken_rotate",
    "webhook_make",
    "webhook_rotate",
    "sipphone_password",
    "report_link",
)
# How the names of such addresses end, and the buttons that make something beside what their form saves.
ADDING = ("_add", "_bind", "_answer", "_note", "_test", "_make", "_template", "_after", *SHOWING_A_SECRET)
MAKING = ("_test",)
TOKEN = "csrfmiddlewaretoken"  # noqa: S105 - the name of a field
KEPT = dt.timedelta(days=1)
DIED = dt.timedelta(seconds=60)  # one that has led nowhere for so long was killed
LOOKS, PAUSE = 20, 0.25  # how often, and how many seconds between


class SentOnceMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if key := getattr(request, "sent_form", ""):
            _remember(key, request, response)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        key = key_of(request)
        if key is None:
            return None
        sent, is_first = SentForm.objects.get_or_create(key=key)
        if not is_first and (led_to := _where_it_led(sent)) is not None:
            return _lead(request, led_to)
        request.sent_form = key  # type: ignore[attr-defined]
        return None


def key_of(request: HttpRequest) -> str | None:
    """The key of a form that adds something; None for any other request."""
    match = request.resolver_match
    if request.method != "POST" or match is None or "admin" not in match.app_names or not request.user.is_authenticated:
        return None
    token = request.POST.get(TOKEN, "")
    is_making = (match.url_name or "").endswith(ADDING) or any(name in request.POST for name in MAKING)
    if not is_making or len(token) != CSRF_TOKEN_LENGTH:
        return None
    words = sorted((name, values) for name, values in request.POST.lists() if name != TOKEN)
    files = sorted((name, file.name, _content(file)) for name, some in request.FILES.lists() for file in some)
    said = json.dumps([request.user.pk, request.get_full_path(), token, words, files], default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def _content(file: Any) -> str:
    """A digit that was corrected leaves the name and the size of a file as they were."""
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _where_it_led(sent: SentForm) -> str | None:
    """The address; "" while it is still at it; None when it led nowhere, so that this one may."""
    for _look in range(LOOKS):
        if sent.led_to:
            return sent.led_to
        died = SentForm.objects.filter(key=sent.key, led_to="", sent_at__lt=timezone.now() - DIED)
        if died.update(sent_at=timezone.now()):
            return None
        time.sleep(PAUSE)
        now = SentForm.objects.filter(key=sent.key).first()
        if now is None:
            return None if SentForm.objects.get_or_create(key=sent.key)[1] else ""
        sent = now
    return sent.led_to


def _lead(request: HttpRequest, led_to: str) -> HttpResponseRedirect:
    if led_to:
        messages.info(request, _("This form was sent before: here is what it made. Nothing was made twice."))
        return HttpResponseRedirect(led_to)
    messages.warning(request, _("This form was sent a moment ago and is still being worked on. Look at the list soon."))
    name = (request.resolver_match.url_name or "").rpartition("_")[0]  # type: ignore[union-attr]
    return HttpResponseRedirect(reverse(f"admin:{name}_changelist"))


def _remember(key: str, request: HttpRequest, response: HttpResponse) -> None:
    made_at = getattr(request, "made_at", "")  # also where the answer is a page that shows a secret once
    has_led = response.status_code == 302 and not isinstance(response, DoneLater)  # who asks first has made nothing
    if led_to := made_at or (response["Location"] if has_led else ""):
        SentForm.objects.filter(key=key).update(led_to=led_to[:500])
    else:
        SentForm.objects.filter(key=key).delete()


def forget_old() -> int:
    """Delete the old ones; how many."""
    return SentForm.objects.filter(sent_at__lt=timezone.now() - KEPT).delete()[0]

"""Wrong passwords are few: an account from one address, and an address on the whole (django-axes counts them).

What is locked is the pair of account and address, so a stranger elsewhere locks nobody out. An address that tries many
accounts meets a second, wider limit.
"""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_lockout_response
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_login_failed
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.kit.requests.client_address import client_address


class Throttle(AxesDatabaseHandler):
    """axes has one limit for all it counts by; an address's own failures are scaled to it."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        of_pair = int(super().get_failures(request, credentials))
        of_address = failures_of(request.axes_ip_address)  # type: ignore[attr-defined]
        scaled: int = of_address * settings.AXES_FAILURE_LIMIT // settings.SIGN_IN_ADDRESS_LIMIT
        return max(of_pair, scaled)


def failures_of(address: str | None) -> int:
    """The failed sign-ins from this address, within the time that a lock lasts."""
    recent = AccessAttempt.objects.filter(
        ip_address=address, attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME
    )
    return int(recent.aggregate(n=Sum("failures_since_start"))["n"] or 0)


def address(request: HttpRequest) -> str | None:
    """Where a request comes from. As with pushes, X-Forwarded-For counts from TRUSTED_PROXIES alone."""
    return client_address(request) or None


def locked_out(request: HttpRequest, credentials: dict[str, Any] | None = None, *rest: Any) -> HttpResponse:
    """A page that says how long to wait, drawn here: it comes from a middleware, after which nothing draws pages."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    own = {"title": _("Too many wrong passwords or codes"), "minutes": -(-seconds // 60)}
    context = {**admin.site.each_context(request), **own}
    answer = TemplateResponse(request, "identity/locked_out.html", context, status=429)
    answer["Retry-After"] = str(seconds)
    return answer.render()


def count_as_wrong(request: HttpRequest, user: Any) -> None:
    """What proves who is there and was wrong counts as a wrong password does, towards the same limits and lists."""
    user_login_failed.send(sender=__name__, credentials={"username": user.get_username()}, request=request)


def too_many(request: HttpRequest, user: Any) -> HttpResponse | None:
    """A code or an old password that comes after too many wrong ones is not even looked at."""
    given = {"username": user.get_username()}
    if AxesProxyHandler.is_allowed(request, given):
        return None
    stopped: HttpResponse = get_lockout_response(request, given)
    return stopped

"""Where the gateway pushes to. Nothing in a push proves where it comes from (wire §2.4): the path is the secret."""

import ipaddress
import json
import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from laaffic_console.gateway.models import PushKind
from laaffic_console.gateway.services import inbox


@method_decorator(csrf_exempt, name="dispatch")
class PushView(View):
    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        if not is_push_token(kwargs["token"]) or not is_allowed_source(request.META.get("REMOTE_ADDR", "")):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, token: str, kind: str) -> HttpResponse:
        if int(request.headers.get("Content-Length") or 0) > settings.PUSH_MAX_BYTES:
            return refusal(413, "body too large")
        if (request.content_type or "") != "application/json":
            return refusal(415, "send application/json")
        body = readable_json(request.read(settings.PUSH_MAX_BYTES + 1))
        if body is None:
            return refusal(400, "not JSON")
        inbox.store(kind=PushKind(kind), body=body, source=request.META.get("REMOTE_ADDR") or None)
        return JsonResponse({"status": "0", "reason": "success"})


def is_push_token(token: str) -> bool:
    """Compared without a hint of how much was right; several tokens are good at a time, so they can be rotated."""
    matches = [secrets.compare_digest(token.encode(), good.encode()) for good in settings.LAAFFIC_PUSH_TOKENS]
    return any(matches)


def is_allowed_source(address: str) -> bool:
    if not settings.LAAFFIC_PUSH_SOURCES:
        return True
    try:
        source = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(source in ipaddress.ip_network(allowed, strict=False) for allowed in settings.LAAFFIC_PUSH_SOURCES)


def readable_json(raw: bytes) -> str | None:
    """The body as text when it is a JSON object or list (NUL, which PostgreSQL cannot keep, counts as unreadable)."""
    if len(raw) > settings.PUSH_MAX_BYTES:
        return None
    try:
        text = raw.decode("utf-8-sig")
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return text if isinstance(parsed, dict | list) and "\0" not in text else None


def refusal(status: int, reason: str) -> JsonResponse:
    return JsonResponse({"status": str(-status), "reason": reason}, status=status)

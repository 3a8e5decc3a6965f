"""Where the gateway pushes to. Nothing in a push proves where it comes from: the path is the secret."""

import json
import secrets
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from laaffic_console.gateway.models import PushKind
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.kit.requests.bounded_body import declared_length, read_at_most
from laaffic_console.kit.requests.client_address import client_address, is_among
from laaffic_console.laaffic.envelope import readable

FORM = "application/x-www-form-urlencoded"
CONTENT_TYPES = ("application/json", "text/json", "text/plain", "application/octet-stream", FORM, "")


@method_decorator(csrf_exempt, name="dispatch")
class PushView(View):
    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        if not is_push_token(kwargs["token"]) or not is_allowed_source(client_address(request)):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, token: str, kind: str, mark: str = "") -> HttpResponse:
        if not may_hold_json(request.content_type or ""):
            return refusal(415, "send application/json")
        if declared_length(request) > settings.PUSH_MAX_BYTES:
            return refusal(413, "body too large")
        raw = read_at_most(request, settings.PUSH_MAX_BYTES)
        if raw is None:
            return refusal(413, "body too large")
        body = readable_json(raw) or (json_in_form(raw) if request.content_type == FORM else None)
        if body is None:
            return refusal(400, "not JSON")
        inbox.store(kind=PushKind(kind), body=body, source=client_address(request) or None, mark=mark)
        return JsonResponse({"status": "0", "reason": "success"})


def is_push_token(token: str) -> bool:
    """Compared without a hint of how much was right; several tokens are good at a time, so they can be rotated."""
    matches = [secrets.compare_digest(token.encode(), good.encode()) for good in settings.LAAFFIC_PUSH_TOKENS]
    return any(matches)


def is_allowed_source(address: str) -> bool:
    return not settings.LAAFFIC_PUSH_SOURCES or is_among(address, settings.LAAFFIC_PUSH_SOURCES)


def may_hold_json(content_type: str) -> bool:
    """JSON under its own names, and what callers set who send it with their library's default."""
    return content_type in CONTENT_TYPES or (content_type.startswith("application/") and content_type.endswith("+json"))


def json_in_form(raw: bytes) -> str | None:
    """JSON that a form library has wrapped: the value of the one field, or its name where it has no value."""
    try:
        fields = parse_qsl(raw.decode(errors="replace"), keep_blank_values=True, strict_parsing=True, max_num_fields=1)
    except ValueError:
        return None
    if not fields:  # an empty body, to which strict parsing has no objection
        return None
    name, value = fields[0]
    return readable_json((value or name).encode())


def readable_json(raw: bytes) -> str | None:
    """The body as text when it is a JSON object or list (NUL, which PostgreSQL cannot keep, counts as unreadable).

    A letter that is not UTF-8 is replaced: a number and a STOP count beside a name in another encoding.
    """
    text = readable(raw)
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return text if isinstance(parsed, dict | list) and "\0" not in text else None


def refusal(status: int, reason: str) -> JsonResponse:
    return JsonResponse({"status": str(-status), "reason": reason}, status=status)

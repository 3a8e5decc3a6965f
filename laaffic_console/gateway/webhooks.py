"""Where the gateway pushes to. Nothing in a push proves where it comes from: the path is the secret."""

import ipaddress
import json
import secrets
from collections.abc import Sequence
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from laaffic_console.gateway.models import PushKind
from laaffic_console.gateway.services.inbox import inbox

PIECE = 64 * 1024
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


def declared_length(request: HttpRequest) -> int:
    """What Content-Length says; 0 where it says nothing that can be read."""
    given = request.headers.get("Content-Length") or "0"
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 20 else 0


def read_at_most(request: HttpRequest, limit: int) -> bytes | None:
    """The body, None when it is longer; of one that is longer no more than `limit` bytes are read.

    A chunked body has no length, so Django takes it for empty; a server that undoes the chunks says so.
    """
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    stream = request
    if is_chunked and request.META.get("wsgi.input_terminated"):
        stream = request.META["wsgi.input"]
    pieces: list[bytes] = []
    left = limit + 1
    while left and (piece := stream.read(min(left, PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces) if left else None


def client_address(request: HttpRequest) -> str:
    """Who pushes: the peer, or whom the nearest of our own proxies names.

    What a stranger writes into the header counts for nothing: it is believed from a trusted proxy alone, and read from
    the right, past further trusted proxies.
    """
    address = request.META.get("REMOTE_ADDR", "")
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    while hops and is_among(address, settings.TRUSTED_PROXIES):
        address = hops.pop()
    return address if as_address(address) else ""


def is_push_token(token: str) -> bool:
    """Compared without a hint of how much was right; several tokens are good at a time, so they can be rotated."""
    matches = [secrets.compare_digest(token.encode(), good.encode()) for good in settings.LAAFFIC_PUSH_TOKENS]
    return any(matches)


def is_allowed_source(address: str) -> bool:
    return not settings.LAAFFIC_PUSH_SOURCES or is_among(address, settings.LAAFFIC_PUSH_SOURCES)


def is_among(address: str, networks: Sequence[str]) -> bool:
    source = as_address(address)
    return source is not None and any(source in ipaddress.ip_network(network, strict=False) for network in networks)


def as_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None for what is not an address; an IPv4 address that came by an IPv6 socket is the IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def may_hold_json(content_type: str) -> bool:
    """JSON under its own names, and what callers set who send it with their library's default."""
    return content_type in CONTENT_TYPES or (content_type.startswith("application/") and content_type.endswith("+json"))


def json_in_form(raw: bytes) -> str | None:
    """JSON that a form library has wrapped: the value of the one field, or its name where it has no value."""
    try:
        fields = parse_qsl(raw.decode(errors="replace"), keep_blank_values=True, strict_parsing=True, max_num_fields=1)
    except ValueError:
        return None
    name, value = fields[0]
    return readable_json((value or name).encode())


def readable_json(raw: bytes) -> str | None:
    """The body as text when it is a JSON object or list (NUL, which PostgreSQL cannot keep, counts as unreadable).

    A letter that is not UTF-8 is replaced: a number and a STOP count beside a name in another encoding.
    """
    text = raw.decode("utf-8-sig", errors="replace")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return text if isinstance(parsed, dict | list) and "\0" not in text else None


def refusal(status: int, reason: str) -> JsonResponse:
    return JsonResponse({"status": str(-status), "reason": reason}, status=status)

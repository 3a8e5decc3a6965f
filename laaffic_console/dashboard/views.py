from django.http import HttpRequest, JsonResponse

from laaffic_console.dashboard import health


def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Database, queue and worker heartbeat do; 503 says which does not."""
    parts = health.parts()
    well = all(part.is_well for part in parts)
    body = {"status": "ok" if well else "not ready", **{part.name: part.says for part in parts}}
    return JsonResponse(body, status=200 if well else 503)

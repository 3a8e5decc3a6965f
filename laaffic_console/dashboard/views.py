"""Whether the console is well, for load balancers and people; the error page; the search."""

import sys

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from laaffic_console.dashboard import search
from laaffic_console.dashboard.health import health, health_page, support_bundle
from laaffic_console.kit.files import exports
from laaffic_console.kit.pages import require
from laaffic_console.kit.sql import database_troubles


@csrf_exempt  # which would answer anything but GET before it is said that only GET is
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, queue and worker heartbeat do; 503 says which does not, to scripts and so always in English."""
    with translation.override("en"):
        parts = health.parts()
    well = all(part.is_well for part in parts)
    body = {"status": "ok" if well else "not ready", **{part.name: part.says for part in parts}}
    return JsonResponse(body, status=200 if well else 503)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 while the database is away, locked or without its tables; 500 for a fault of the console's own.

    Drawn without the request: who is signed in may be what could not be read.
    """
    trouble = database_troubles.of(sys.exc_info()[1])
    if trouble is None:
        return HttpResponse(loader.get_template("500.html").render(), status=500)
    page = loader.get_template("503.html").render({"trouble": trouble.value})
    return HttpResponse(page, status=503, headers={"Retry-After": "30"})


def health_view(request: HttpRequest) -> HttpResponse:
    """For operators who may see the workers; scripts ask /readyz."""
    require(request, "gateway.view_workerheartbeat")
    context = {**admin.site.each_context(request), "title": _("Health"), **health_page.context()}
    context["may_bundle"] = request.user.has_perm("gateway.make_support_bundle")
    return TemplateResponse(request, "admin/health.html", context)


def support_bundle_view(request: HttpRequest) -> HttpResponse:
    """A ZIP for people who help from outside."""
    require(request, "gateway.make_support_bundle")
    name = support_bundle.name()
    exports.taken_away(name)
    answer = HttpResponse(support_bundle.content(), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def search_view(request: HttpRequest) -> HttpResponse:
    """The page of results (`q`), and what the command palette shows while somebody types (`s`)."""
    if "s" in request.GET:
        return _palette(request)
    found = search.find(request.user, request.GET.get("q", ""), request.GET.get("kind", ""))
    context = {**admin.site.each_context(request), "title": _("Search"), "found": found}
    return TemplateResponse(request, "admin/search.html", context)


def _palette(request: HttpRequest) -> HttpResponse:
    items = search.for_palette(search.find(request.user, request.GET["s"]))
    context = {"results": items, "page_counter": 0}
    return TemplateResponse(request, "admin/palette.html", context, headers={"HX-Trigger": "search"})

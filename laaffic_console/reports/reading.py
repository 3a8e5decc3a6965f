"""The address at which a spreadsheet reads a report: CSV and nothing else, without a session."""

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from laaffic_console.kit.files import exports
from laaffic_console.kit.requests.client_address import client_address
from laaffic_console.reports import sheet
from laaffic_console.reports.services import spreadsheets

A_MINUTE = 30  # from one address, in one web process or, with Redis, in all of them


@require_safe
def read_view(request: HttpRequest, pk: int) -> HttpResponse:
    """The token is looked at before anything else, and is in no log (log_masks.py, deploy/nginx.conf)."""
    if _is_too_often(client_address(request)):
        answer = _sentence(429, _("Too many reads. Read it again in a minute."))
        answer["Retry-After"] = "60"
        return answer
    try:
        report = spreadsheets.read(pk, request.GET.get("token", ""))
    except spreadsheets.Closed as closed:
        return _sentence(closed.status, str(closed))
    return _guarded(HttpResponse(b"".join(exports.csv_bytes(sheet.lines(report))), content_type=exports.CSV))


def _sentence(status: int, sentence: str) -> HttpResponse:
    return _guarded(HttpResponse(sentence + "\n", status=status, content_type="text/plain; charset=utf-8"))


def _guarded(answer: HttpResponse) -> HttpResponse:
    """The answer with headers so that nobody keeps it, and no page that it leads to is told the token."""
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _is_too_often(address: str) -> bool:
    key = f"report-reads:{address}"
    try:
        cache.add(key, 0, timeout=60)
        return bool(cache.incr(key) > A_MINUTE)
    except ValueError:  # it ran out in between, or there is no cache at present
        return False

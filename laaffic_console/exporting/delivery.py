"""How every page of the console answers “Export”: a short list at once, a long one by a worker.

One place decides. A GET of a long one asks first: an address that somebody follows starts no work by itself.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst

from laaffic_console.exporting import kinds, lists
from laaffic_console.exporting.kinds import NotExportable, Parameters
from laaffic_console.exporting.models import Export
from laaffic_console.exporting.services import making
from laaffic_console.kit.files import exports
from laaffic_console.kit.forms import asking_again
from laaffic_console.kit.pages import own_page, page, require
from laaffic_console.kit.words.people import signed_in


def deliver(
    request: HttpRequest, kind_name: str, parameters: Parameters, file_format: str, *, file_name: str, back: str
) -> HttpResponse | Any:
    """The file, the page that asks first, or the way to the page where it is being made."""
    kind = kinds.named(kind_name)
    require(request, *kind.rights)
    if file_format not in kind.formats:
        raise Http404
    by = signed_in(request)
    try:
        found = kind.count(parameters, by, max(making.AT_ONCE, settings.LAAFFIC_REAUTHENTICATE_OVER) + 1)
    except NotExportable as problem:
        messages.error(request, str(problem))
        return HttpResponseRedirect(back)
    if asked := asking_again.ask_over(request, found):
        return asked
    if found <= making.AT_ONCE and kind.write is None:
        rows = making.direct(kind, parameters, file_format, by=by)
        return exports.answer(rows, file_format, file_name, kind.title(parameters), n_rows=found)
    if request.method != "POST":
        return page(
            admin.site.get_model_admin(Export),
            request,
            "exporting/ask_first.html",
            str(capfirst(kind.title(parameters))),
            most=making.AT_ONCE,
            format=file_format.upper(),
            back=back,
        )
    export = making.ask(kind, parameters, file_format, by=by)
    return HttpResponseRedirect(own_page(export))


def deliver_list(request: HttpRequest, model_admin: Any, file_format: str, *, file_name: str) -> Any:
    """A file of what an admin's list shows with its filters and search; where they are wrong, the list that says so."""
    require(request, *kinds.named(lists.name_of(model_admin.model)).rights)
    shown = model_admin.rows_shown(request)
    if isinstance(shown, HttpResponseRedirect):
        return shown
    options = model_admin.opts
    query = request.GET.urlencode()
    back = reverse(f"admin:{options.app_label}_{options.model_name}_changelist") + (f"?{query}" if query else "")
    parameters = lists.parameters_of(request)
    return deliver(request, lists.name_of(model_admin.model), parameters, file_format, file_name=file_name, back=back)

"""Exports: the files that are being made, that can be downloaded, and who took what."""

from typing import Any
from urllib.parse import unquote_plus

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.decorators import display

from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.exporting.models import Export
from laaffic_console.exporting.services import keeping, making
from laaffic_console.gateway.admin.ledger import LedgerEntryAdmin
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.files import exports
from laaffic_console.kit.pages import own_page, page
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.words import state_colours
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.people import signed_in

State = Export.State
STATE_COLOURS = state_colours.of(State, queued="info", expired="default")
AGAIN = (State.FAILED, State.CANCELLED, State.EXPIRED)
DOWNLOADS_SHOWN = 20
# The labels of the parameters that say what an export is of.
OF_WHAT = {
    "campaign": gettext_lazy("Campaign"),
    "task": gettext_lazy("Group call"),
    "ids": gettext_lazy("Chosen rows"),
    "query": gettext_lazy("Filters"),
}


def _of_what(export: Export) -> list[tuple[Any, str]]:
    """What an export is of: the number of rows chosen one by one, and filters as somebody would type them."""
    given = export.parameters.items()
    shown = {"ids": lambda ids: number(len(ids)), "query": unquote_plus}
    return [(OF_WHAT.get(name, name), shown.get(name, str)(value)) for name, value in given if value]


def _list_of(export: Export) -> str:
    """The list as it was filtered, to export it again; "" where it is of something else, or there is a file."""
    if "query" not in export.parameters or keeping.state_now(export) not in AGAIN:
        return ""
    try:
        address = reverse(f"admin:{export.kind.replace('.', '_')}_changelist")
    except NoReverseMatch:  # a list that an earlier version had
        return ""
    query = export.parameters["query"]
    return f"{address}?{query}" if query else address


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    when_empty = gettext_lazy(
        "A list, or the recipients of a campaign, is exported on "
        "its own page, as CSV or XLSX; the file is found here for some days."
    )
    list_display = [
        "shown_title",
        "shown_state",
        "format",
        "rows",
        "shown_size",
        "asked_by_name",
        "asked_at",
        "expires_at",
    ]
    list_filter = ["state"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        """The person's own exports; everybody's for anyone who may audit them."""
        found: QuerySet[Export] = super().get_queryset(request)
        return found if request.user.has_perm(keeping.AUDIT) else found.filter(asked_by=signed_in(request))

    def has_view_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        """Anyone who may export something sees what happened to it, whatever else their role lets them see."""
        is_own = obj is not None and isinstance(request.user, User) and obj.asked_by_id == request.user.pk
        return is_own or super().has_view_permission(request, obj)

    @display(description=gettext_lazy("export"), ordering="title")
    def shown_title(self, export: Export) -> str:
        return str(export)

    @display(description=gettext_lazy("state"), label=STATE_COLOURS, ordering="state")
    def shown_state(self, export: Export) -> tuple[str, str]:
        state = keeping.state_now(export)
        return state, meanings.inline("export", state, state.label)

    @display(description=gettext_lazy("size"), ordering="size")
    def shown_size(self, export: Export) -> str:
        return filesizeformat(export.size) if export.size else "–"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/cancel/", wrap(self.cancel_view), name="exporting_export_cancel"),
            path("<int:pk>/file/<str:token>/", wrap(never_cache(self.file_view)), name="exporting_export_file"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        export = self.get_object(request, object_id)
        if export is None or not self.has_view_permission(request, export):
            return super().change_view(request, object_id, form_url, extra_context)
        user = signed_in(request)
        is_there = keeping.is_there(export)
        may_take = keeping.may_take(user, export)
        return page(
            self,
            request,
            "exporting/export.html",
            str(export),
            export=export,
            **_pace(export),
            is_waiting=export.is_open and not export.is_direct,
            state=keeping.state_now(export),
            list_address=_list_of(export),
            link=reverse("admin:exporting_export_file", args=[export.pk, keeping.token_for(user, export)])
            if is_there and may_take
            else "",
            may_not_take=is_there and not may_take,
            may_see_its_numbers=keeping.may_see_its_numbers(user, export),
            may_see_its_names=keeping.may_see_its_names(user, export),
            link_minutes=keeping.LINK_MINUTES,
            downloads=export.downloads.all()[:DOWNLOADS_SHOWN],
            of_what=_of_what(export),
        )

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        export = self._get(request, pk)
        if request.method != "POST":
            raise Http404
        if not making.cancel(export.pk):
            messages.info(request, _("It was over already."))
        return HttpResponseRedirect(own_page(export))

    def file_view(self, request: HttpRequest, pk: int, token: str) -> HttpResponse | FileResponse:
        """The file, after asking again who they are and what they may: a link that was passed on opens nothing."""
        export, user = self._get(request, pk), signed_in(request)
        if not keeping.may_take(user, export):
            raise PermissionDenied
        if not keeping.opens(token, user, export):
            messages.warning(request, _("This link is no longer valid. Use the button on this page."))
            return HttpResponseRedirect(own_page(export))
        if (opened := keeping.open_file(export)) is None:
            return HttpResponseRedirect(own_page(export))
        keeping.note_download(export, user)
        name = f"{keeping.name_for_people(export)}.{export.format}"
        return FileResponse(opened, as_attachment=True, filename=name, content_type=exports.TYPES[export.format])

    def _get(self, request: HttpRequest, pk: int) -> Export:
        export = get_object_or_404(Export, pk=pk)
        if not keeping.may_look(signed_in(request), export):
            raise PermissionDenied
        return export


class LedgerAdmin(ExportedList, LedgerEntryAdmin):
    """The ledger with its exports: its own page is below them and knows none."""

    export_name = "ledger"


admin.site.unregister(LedgerEntry)
admin.site.register(LedgerEntry, LedgerAdmin)


def _pace(export: Export) -> dict[str, Any]:
    """How far it is; per cent only where somebody knows how many rows there are."""
    seconds = ((export.finished_at or timezone.now()) - export.started_at).total_seconds() if export.started_at else 0
    done = export.rows / export.rows_expected if export.rows_expected else None
    is_moving = export.state == State.RUNNING and done is not None and done > 0.02
    return {
        "percent": 100 if export.state == State.FINISHED else min(99, int(100 * (done or 0))),
        "knows_percent": export.state == State.FINISHED or done is not None,
        "rate": export.rows / seconds if seconds > 0.5 else None,
        "seconds_left": max(0, seconds / done - seconds) if is_moving and done else None,
    }

"""Number pools: the list, and a pool with its versions."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.pages import page, page_of
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.plain_text import digits_of, plain, whole_number
from phone_numbers.admin.pool_writing import PoolWriting
from phone_numbers.models import NumberPool, PoolVersion
from phone_numbers.pool_config import difference
from phone_numbers.services import pool_changes, pool_state, pool_sync, syncing

STATE_COLOURS = {
    "in step": "success",
    "drifted": "warning",
    "unknown": "warning",
    "gone": "danger",
    "not made": "default",
}


class DriftFilter(ChoiceFilter):
    title = gettext_lazy("compared with Laaffic")
    parameter_name = "compared"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("same", _("In step")), ("drifted", _("Differs")), ("gone", _("Gone"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[NumberPool]) -> QuerySet[NumberPool]:
        match self.value():
            case "same":
                return queryset.filter(drifted_at=None, gone_at=None, current__isnull=False)
            case "drifted":
                return queryset.exclude(drifted_at=None)
            case "gone":
                return queryset.exclude(gone_at=None)
        return queryset


@admin.register(NumberPool)
class NumberPoolAdmin(PoolWriting):
    when_empty = gettext_lazy("Synchronise to read your pools from Laaffic, or make one.")
    list_display = [
        "pool_number",
        "shown_state",
        "how_many",
        "how_many_addresses",
        "concurrency",
        "version",
        "listed_at",
    ]
    list_filter = [DriftFilter]
    list_select_related = ["current"]
    search_fields = ["pool_number"]
    ordering = [F("gone_at").asc(nulls_first=True), "pool_number"]  # those that still exist first, on both databases
    sync_permission = "numbers.change_numberpool"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[NumberPool], search_term: str
    ) -> tuple[QuerySet[NumberPool], bool]:
        term = digits_of(search_term) or plain(search_term)
        return (queryset.filter(pool_number__icontains=term) if term else queryset), False

    def sync_names(self) -> list[str]:
        return pool_sync.names()

    def get_queryset(self, request: HttpRequest) -> QuerySet[NumberPool]:
        still_open = PoolVersion.objects.filter(pool=OuterRef("pk"), entry__state__in=pool_state.OPEN)
        return super().get_queryset(request).annotate(is_open=Exists(still_open))

    @display(description=gettext_lazy("state"), label=STATE_COLOURS)
    def shown_state(self, pool: NumberPool) -> tuple[str, str]:
        state, words = state_of(pool, is_open=pool.is_open)  # type: ignore[attr-defined]
        return state, meanings.inline("pool", state, words)

    @display(description=gettext_lazy("numbers"))
    def how_many(self, pool: NumberPool) -> str:
        return number(len(pool.listed_numbers))

    @display(description=gettext_lazy("addresses"))
    def how_many_addresses(self, pool: NumberPool) -> int:
        return len([address for address in pool.listed_addresses.split(",") if address])

    @display(description=gettext_lazy("concurrent calls"), ordering="listed_concurrency")
    def concurrency(self, pool: NumberPool) -> str:
        return "–" if pool.listed_concurrency is None else number(pool.listed_concurrency)

    @display(description=gettext_lazy("version"))
    def version(self, pool: NumberPool) -> int | str:
        return pool.current.number if pool.current else "–"

    def sync_view(self, request: HttpRequest) -> HttpResponse:
        """Read the list, then return to the pool if it was asked for on a pool's page."""
        answer = super().sync_view(request)
        pool = whole_number(request.POST.get("pool", ""))
        if pool is not None and NumberPool.objects.filter(pk=pool).exists():
            return HttpResponseRedirect(page_of(NumberPool, pool))
        return answer

    # Pages

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/edit/", wrap(self.edit_view), name="numbers_numberpool_edit"),
            path("<int:pk>/versions/<int:number>/apply/", wrap(self.version_view), name="numbers_numberpool_apply"),
            path("<int:pk>/adopt/", wrap(self.adopt_view), name="numbers_numberpool_adopt"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perms(["numbers.add_numberpool", "numbers.apply_numberpool"]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        pool = self.get_object(request, object_id)
        if pool is None:
            return super().change_view(request, object_id, form_url, extra_context)
        if not self.has_view_permission(request, pool):
            raise PermissionDenied
        waits = pool_state.open_version(pool)
        may_change = request.user.has_perm("numbers.change_numberpool")
        may_apply = may_change and request.user.has_perm("numbers.apply_numberpool")
        has_drifted = pool.drifted_at and pool.current and pool.listed
        drift = difference(pool.current.config, pool.listed) if has_drifted else None
        return page(
            self,
            request,
            "numbers/pool.html",
            pool.pool_number,
            pool=pool,
            state=state_of(pool, is_open=waits is not None),
            shown=pool.listed or (pool.current.config if pool.current else None),
            waits=waits,
            drift=drift,
            versions=pool.versions.select_related("created_by", "entry")[:50],
            may_edit=may_apply and waits is None,
            listed_as_shown=pool_changes.listed_as_shown(pool),
            may_adopt=may_change and waits is None and drift is not None,
            may_sync=may_change,
            is_comparing=any(copy.is_running for copy in syncing.COPIES.named([pool_sync.NAME])),
        )


def state_of(pool: NumberPool, *, is_open: bool) -> tuple[str, str]:
    if is_open:
        return "unknown", _("Outcome unknown")
    if pool.gone_at is not None:
        return "gone", _("Gone since %(when)s") % {"when": dates.moment(pool.gone_at)}
    if pool.drifted_at is not None:
        return "drifted", _("Differs at Laaffic")
    if pool.current is None:
        return "not made", _("Not made")
    return "in step", _("In step")

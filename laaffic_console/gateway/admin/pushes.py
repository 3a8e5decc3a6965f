"""What Laaffic pushed, as it came, and reports whose message is not known."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from laaffic_console.gateway.models import OrphanReport, PushedBody
from laaffic_console.gateway.services.inbox import draining
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.masked_admin import MaskedNumbers
from laaffic_console.kit.pages import own_page, page


class FailedFilter(ChoiceFilter):
    title = gettext_lazy("not applied")
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("Something could not be applied"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PushedBody]) -> QuerySet[PushedBody]:
        return queryset.filter(failed__gt=0) if self.value() == "yes" else queryset


class AsItCame(ReadOnlyAdmin):
    """The list is for everybody who may see the inbox; one row as it came, with its numbers and texts, for few."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_read = obj is None or request.user.has_perm("gateway.read_pushedbody")
        return bool(may_read and super().has_view_permission(request, obj))

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        if not request.user.has_perm("gateway.read_pushedbody"):
            return None
        return super().get_list_display_links(request, list_display)


@admin.register(PushedBody)
class PushedBodyAdmin(AsItCame):
    when_empty = gettext_lazy(
        "Nothing was pushed yet. Give Laaffic the callback addresses: they are on the page of each application."
    )
    is_named_as_a_whole = True
    list_display = ["id", "kind", "received_at", "source", "entries", "applied_at", "failed", "trouble"]
    list_filter = ["kind", FailedFilter]
    actions_detail = ["try_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PushedBody]:
        """The rows; a list of them does not read their bodies of up to 5 MiB each."""
        bodies = super().get_queryset(request)
        return (
            bodies if request.resolver_match and "object_id" in request.resolver_match.kwargs else bodies.defer("body")
        )

    @display(description=gettext_lazy("problems"))
    def trouble(self, body: PushedBody) -> str:
        return masks.in_text("; ".join(body.problems))[:120] or "–"

    def get_fields(self, request: HttpRequest, obj: PushedBody | None = None) -> Any:
        return ["all_problems" if name == "problems" else name for name in super().get_fields(request, obj)]

    @display(description=gettext_lazy("problems"))
    def all_problems(self, body: PushedBody) -> str:
        return masks.in_text("\n".join(body.problems)) or "–"

    def has_again_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("gateway.change_pushedbody")

    @action(description=gettext_lazy("Apply again"), url_path="again", permissions=["again"])
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A first request asks; only a POST puts it back into the queue."""
        body = get_object_or_404(PushedBody, pk=object_id)
        if request.method != "POST":
            return page(self, request, "gateway/apply_again.html", _("Apply this push again?"), body=body)
        if draining.try_again([body.pk]):
            messages.success(request, _("It is applied again from its beginning as soon as a worker is free."))
        else:
            messages.warning(request, _("It is already waiting to be applied."))
        return HttpResponseRedirect(own_page(body))


@admin.register(OrphanReport)
class OrphanReportAdmin(MaskedNumbers, AsItCame):
    when_empty = gettext_lazy("Every report has found its message.")
    masked = ("number",)
    typed = ("problem",)
    list_display = [
        "gateway_id",
        "order_id",
        "number",
        "kind",
        "first_seen",
        "tries",
        "next_try_at",
        "matched_at",
        "problem",
    ]
    list_filter = ["kind"]

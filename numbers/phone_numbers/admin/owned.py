import datetime as dt
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from laaffic_console import plain_text
from laaffic_console.plain_text import whole_number
from phone_numbers.admin.sync_panel import SyncedListAdmin
from phone_numbers.models import OwnedNumber
from phone_numbers.resources import OwnedNumberResource
from phone_numbers.services import owned_sync, scheduling

STATE_COLOURS = {
    OwnedNumber.State.IN_USE: "success",
    OwnedNumber.State.EXPIRED: "danger",
    OwnedNumber.State.STOPPED: "warning",
    "gone": "default",
    "": "default",
}


class DueFilter(admin.SimpleListFilter):
    title = gettext_lazy("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("overdue", _("Overdue")),
            ("7", _("Within 7 days")),
            ("30", _("Within 30 days")),
            ("90", _("Within 90 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OwnedNumber]) -> QuerySet[OwnedNumber]:
        today, chosen = timezone.localdate(), self.value() or ""
        if chosen == "overdue":
            return queryset.filter(gone_at=None, due_date__lt=today)
        if (days := whole_number(chosen, 36500)) is not None:
            latest = today + dt.timedelta(days=days)
            return queryset.filter(gone_at=None, due_date__gte=today, due_date__lte=latest)
        return queryset


class GoneFilter(admin.SimpleListFilter):
    title = gettext_lazy("at Laaffic")
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Still there")), ("no", _("Gone"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OwnedNumber]) -> QuerySet[OwnedNumber]:
        if self.value() in ("yes", "no"):
            return queryset.filter(gone_at__isnull=self.value() == "yes")
        return queryset


@admin.register(OwnedNumber)
class OwnedNumberAdmin(SyncedListAdmin):
    list_display = ["number", "country", "number_type", "shown_state", "due", "auto_renew", "app_id", "remark"]
    list_filter = [DueFilter, "state", GoneFilter]
    search_fields = ["number"]
    search_help_text = gettext_lazy("The beginning of a number")
    ordering = ["due_date", "number"]
    resource_class = OwnedNumberResource
    change_permission = "numbers.change_ownednumber"

    def sync_names(self) -> list[str]:
        return [owned_sync.NAME] if scheduling.applications() else []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OwnedNumber], search_term: str
    ) -> tuple[QuerySet[OwnedNumber], bool]:
        digits = plain_text.digits_of(search_term) or search_term.strip()
        return (queryset.filter(number__startswith=digits) if digits else queryset), False

    @display(description=gettext_lazy("state"), label=STATE_COLOURS, ordering="state")
    def shown_state(self, number: OwnedNumber) -> tuple[Any, str]:
        if number.gone_at is not None:
            return "gone", _("Gone since %(day)s") % {"day": f"{timezone.localtime(number.gone_at):%Y-%m-%d}"}
        return (number.state if number.state is not None else ""), number.get_state_display() or "–"

    @display(description=gettext_lazy("due"), ordering="due_date")
    def due(self, number: OwnedNumber) -> SafeString | str:
        if number.due_date is None:
            return "–"
        days = (number.due_date - timezone.localdate()).days
        tone = "bad" if days < 0 else "warn" if days <= 30 else ""
        if number.gone_at is not None:
            return f"{number.due_date:%Y-%m-%d}"
        return format_html('{} <span class="{}">({})</span>', f"{number.due_date:%Y-%m-%d}", tone, in_days(days))


def in_days(days: int) -> str:
    if days < 0:
        return ngettext("%(n)d day overdue", "%(n)d days overdue", -days) % {"n": -days}
    return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days} if days else _("today")

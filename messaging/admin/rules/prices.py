"""The price list, beside what the reports say was charged."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.import_export.forms import ImportForm
from unfold.decorators import display

from laaffic_console.gateway.models import CAMPAIGN_CHANNELS, Channel
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.admin.page_links import PageLink
from laaffic_console.kit.files.file_imports import SafeImportMixin
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.lists.changelists import changelist_of
from laaffic_console.kit.words.figures import in_percent
from messaging.models import ListPrice
from messaging.resources.prices import ListPriceResource, PriceFile
from messaging.services.reports import prices
from messaging.services.reports.prices import Price


@admin.register(ListPrice)
class ListPriceAdmin(SharedRowAdmin, SafeImportMixin, ModelAdmin):
    when_empty = gettext_lazy(
        "Import Laaffic's price list, or wait: prices are learned from what reports say was charged."
    )
    when_empty_link = PageLink(
        "admin:messaging_listprice_import",
        gettext_lazy("Import a price list"),
        "messaging.add_listprice",
        ("messaging.change_listprice",),
    )
    is_named_as_a_whole = True
    list_display = ["country", "channel", "shown_price", "charged", "difference", "updated_at"]
    list_filter = ["channel", "currency"]
    search_fields = ["=country"]
    list_per_page = 100
    resource_classes = [ListPriceResource]
    import_form_class = ImportForm
    formats = [PriceFile]
    list_before_template = "messaging/learned_prices.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        learned = {channel: prices.learned(channel) for channel in CAMPAIGN_CHANNELS}
        shown = [(Channel(channel).label, _most_first(found)) for channel, found in learned.items() if found]
        response = super().changelist_view(request, {**(extra_context or {}), "learned": shown})
        if changelist := changelist_of(response):
            changelist.result_list = list(changelist.result_list)
            for entry in changelist.result_list:
                entry.learned = learned[entry.channel].get(entry.country)
        return response

    @display(description=gettext_lazy("list price"), ordering="price")
    def shown_price(self, entry: ListPrice) -> str:
        return f"{entry.price.normalize():f} {entry.currency}"

    @display(description=gettext_lazy("charged, by reports"))
    def charged(self, entry: ListPrice) -> str:
        price: Price | None = entry.learned  # type: ignore[attr-defined]
        return f"{price.each.normalize():f} {price.currency}" if price else "–"

    @display(description=gettext_lazy("difference"), label={"more": "danger", "less": "success", "same": "default"})
    def difference(self, entry: ListPrice) -> tuple[str, str] | str:
        """How much more was charged than the list says."""
        price: Price | None = entry.learned  # type: ignore[attr-defined]
        if price is None or price.currency != entry.currency or not entry.price:
            return "–"
        more = round(100 * (price.each - entry.price) / entry.price, 1)
        if not more:
            return "same", _("as listed")
        return ("more", f"+{in_percent(more)}") if more > 0 else ("less", in_percent(more))


def _most_first(found: dict[str, Price]) -> list[Price]:
    return sorted(found.values(), key=lambda price: (-price.sample, price.country))

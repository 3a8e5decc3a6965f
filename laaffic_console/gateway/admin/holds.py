"""Holds of the account or of an application, and the word that ends one."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from laaffic_console.gateway import shown_holds
from laaffic_console.gateway.models import AccountHold
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.masking.masked_admin import MaskedTexts
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.pages import POSTED, ask_first, own_page, page
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.stored_words import in_words


@admin.register(AccountHold)
class AccountHoldAdmin(MaskedTexts, ReadOnlyAdmin):
    when_empty = gettext_lazy(
        "Nothing is held. The console holds what Laaffic refuses for credentials, balance or rights, and says so here."
    )
    typed = ("sentence", "last_answer", "released_because")
    list_display = ["sentence", "stops", "placed_at", "shown_state", "last_answer", "next_probe_at", "released_because"]
    list_select_related = ["application"]
    actions_detail = ["probe_now", "end_hold"]
    fields = [
        "sentence",
        "application",
        "code",
        "entry",
        "placed_at",
        "last_answer",
        "next_probe_at",
        "released_at",
        "released_because",
        "released_by",
    ]

    @display(description=gettext_lazy("stops"))
    def stops(self, hold: AccountHold) -> str:
        return shown_holds.stops(hold)

    @display(description=gettext_lazy("state"), label={"open": "warning", "ended": "success"})
    def shown_state(self, hold: AccountHold) -> tuple[str, str]:
        return ("open", _("Holds")) if hold.released_at is None else ("ended", _("Ended"))

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("gateway.release_accounthold")

    @action(description=gettext_lazy("Ask Laaffic now"), url_path="probe", permissions=["end"], attrs=POSTED)
    def probe_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        get_object_or_404(AccountHold, pk=object_id)
        sentence = _("Laaffic is asked whether it takes requests again. If it does, the hold ends.")
        back = "admin:gateway_accounthold_changelist"
        if asked := ask_first(self, request, _("Ask Laaffic now"), sentence, back=back):
            return asked
        account_hold.probe(at_once=True)
        hold = AccountHold.objects.get(pk=object_id)
        if hold.released_at:
            messages.success(request, in_text(in_words(hold.released_because)))
        else:
            said = in_words(hold.last_answer) or _("This cannot be tested from here. Fix the cause, then end the hold.")
            messages.warning(request, _("Still on hold. %(answer)s") % {"answer": in_text(said)})
        return HttpResponseRedirect(own_page(hold))

    @action(description=gettext_lazy("End this hold"), url_path="end", permissions=["end"])
    def end_hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A first request asks; only a POST ends it."""
        hold = get_object_or_404(AccountHold, pk=object_id)
        if request.method != "POST":
            return page(self, request, "gateway/end_hold.html", _("End this hold?"), hold=hold)
        if account_hold.end_by_hand(hold.pk, by=signed_in(request)):
            messages.success(request, _("The hold has ended; what it stopped goes on."))
        return HttpResponseRedirect(own_page(hold))

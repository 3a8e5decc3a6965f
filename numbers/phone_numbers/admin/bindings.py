"""Bindings: the list, making one, ending one."""

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.utils import display_for_label

from laaffic_console.gateway.models import Application, Channel, EntryState
from laaffic_console.gateway.services.ledger import open_acts
from laaffic_console.kit.forms.kept_forms import asks
from laaffic_console.kit.lists.changelists import changelist_of
from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.masked_admin import MaskedNumbers, number_cell
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import may_see_contacts, own_page, page, posted_row, require
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.words import dates, plain_text
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from phone_numbers import exports
from phone_numbers.admin.bind_form import BindForm
from phone_numbers.admin.sync_panel import SyncedListAdmin
from phone_numbers.models import Binding, BindingKind, BindingRequest, NumberPool
from phone_numbers.models.bindings import BindingQuerySet
from phone_numbers.services import binding_changes, binding_sync

# Unbinding requires a look at both numbers: the form sends back which ones they were.
MAY_BIND_AGAIN = ("numbers.view_binding", "numbers.add_binding", masks.SEE)
MAY_UNBIND = ("numbers.view_binding", "numbers.unbind_binding", masks.SEE)
STATE_COLOURS = {
    "live": "success",
    "over": "warning",
    Binding.Ending.UNBOUND: "default",
    Binding.Ending.EXPIRED: "default",
    Binding.Ending.VANISHED: "danger",
}


UNTIL_OVER = "<span data-until-over>{}</span><span data-when-over hidden>{}</span>"


class LiveFilter(ChoiceFilter):
    """Live bindings first, as operators look for these; ended ones are kept."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("live", _("Live")), ("ended", _("Gone")), *Binding.Ending.choices, ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        for value, words in self.lookup_choices:
            yield {
                "selected": (self.value() or "live") == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": words,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Binding]) -> QuerySet[Binding]:
        match self.value() or "live":
            case "live":
                return queryset.filter(ended_at=None)
            case "ended":
                return queryset.exclude(ended_at=None)
            case ending if ending in Binding.Ending.values:
                return queryset.filter(ending=ending)
        return queryset


class ExpiresWithinFilter(ChoiceFilter):
    title = gettext_lazy("expires within")
    parameter_name = "within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("5", _("5 minutes")),
            ("15", _("15 minutes")),
            ("60", _("an hour")),
            ("360", _("6 hours")),
            ("1440", _("a day")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Binding]) -> QuerySet[Binding]:
        minutes = whole_number(self.value() or "", 10**6)
        if minutes is None:
            return queryset
        soon = timezone.now() + dt.timedelta(minutes=minutes)
        return queryset.filter(ended_at=None, expires_at__lte=soon)


class ApplicationFilter(ChoiceFilter):
    """Offers only the few applications for numbers."""

    title = gettext_lazy("application")
    parameter_name = "app"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = Application.objects.filter(channel=Channel.NUMBER)[:100]
        return [(str(application.pk), str(application)) for application in known]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Binding]) -> QuerySet[Binding]:
        chosen = whole_number(self.value() or "")
        return queryset if chosen is None else queryset.filter(application=chosen)


@admin.register(Binding)
class BindingAdmin(MaskedNumbers, SyncedListAdmin):
    when_empty = gettext_lazy("Bind two numbers, and each reaches the other without seeing the number.")
    masked = ("phone_a", "phone_b")
    list_display = ["shown_a", "shown_b", "sees", "left", "shown_state", "bind_id", "application"]
    list_filter = [LiveFilter, ExpiresWithinFilter, ApplicationFilter]
    list_select_related = ["application"]
    search_fields = ["phone_a"]
    search_help_text = gettext_lazy("The beginning of any of the four numbers, or a whole bindId")
    ordering = ["ended_at", "expires_at", "-id"]
    sync_permission = "numbers.change_binding"
    list_before_template = "numbers/bindings_panel.html"

    def sync_names(self) -> list[str]:
        return binding_sync.names()

    # The list

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """Live and gone ones together: the newest first, as databases differ in where they put those without an end."""
        return ["-id"] if request.GET.get(LiveFilter.parameter_name) == "all" else self.ordering

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        unknown = BindingRequest.objects.filter(entry__state=EntryState.UNKNOWN).count()
        context = {**(extra_context or {}), "unknown_requests": unknown}
        response = super().changelist_view(request, context)
        if changelist := changelist_of(response):
            shown = list(changelist.result_list)
            if may_see_contacts(request):
                exports.name_people(shown)
            changelist.result_list = shown
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: BindingQuerySet, search_term: str
    ) -> tuple[QuerySet[Binding], bool]:
        digits = plain_text.digits_of(search_term) or search_term.strip()
        if not search_term.strip():
            return queryset, False
        if not digits.isdecimal():
            return queryset.filter(bind_id=search_term.strip()), False
        return (queryset.with_number(digits) | queryset.filter(bind_id=digits)), False

    @display(description=gettext_lazy("A"), header=True, ordering="phone_a")
    def shown_a(self, binding: Binding) -> list[str]:
        return [number_cell(binding.phone_a), getattr(binding, "a_name", "")]

    @display(description=gettext_lazy("B"), header=True, ordering="phone_b")
    def shown_b(self, binding: Binding) -> list[str]:
        return [number_cell(binding.phone_b), getattr(binding, "b_name", "")]

    @display(description=gettext_lazy("A and B see"))
    def sees(self, binding: Binding) -> SafeString:
        if binding.kind is BindingKind.AXB:
            return format_html('<span class="c-mono">{}</span>', binding.pns_number_a)
        both = '<span class="c-mono">{}<br>{}</span>'
        return format_html(both, binding.pns_number_a, binding.pns_number_b)

    @display(description=gettext_lazy("time left"), ordering="expires_at")
    def left(self, binding: Binding) -> SafeString | str:
        return time_left(binding)

    @display(description=gettext_lazy("state"), ordering="ended_at")
    def shown_state(self, binding: Binding) -> SafeString:
        state, words = state_of(binding)
        shown = _label(state, meanings.inline("binding", state, words))
        return shown if state != "live" else format_html(UNTIL_OVER, shown, _label("over", over()))

    # Bind

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("bind/", wrap(self.bind_view), name="numbers_binding_bind"),
            path("<int:pk>/unbind/", wrap(self.unbind_view), name="numbers_binding_unbind"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("numbers.add_binding"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:numbers_binding_bind"))

    @asks(BindForm, "numbers.add_binding")
    def bind_view(self, request: HttpRequest) -> HttpResponse:
        require(request, "numbers.add_binding")
        form = BindForm(request.POST or None, initial=self._bound_before(request))
        if form.is_bound and form.is_valid():
            try:
                asked = binding_changes.bind(**form.terms(), by=signed_in(request))
            except ValidationError as problem:
                form.add_problems(problem)
            else:
                return self._to_what_came(request, asked)
        pools = NumberPool.objects.filter(gone_at=None).values_list("pool_number", flat=True)[:500]
        return page(self, request, "numbers/bind.html", _("Bind two numbers"), form=form, pools=pools)

    def _bound_before(self, request: HttpRequest) -> dict[str, Any]:
        """Initial values after a binding that has ended, to bind the same again; Laaffic has no way to extend one."""
        pk = whole_number(request.GET.get("again", ""))
        before = Binding.objects.filter(pk=pk).first() if pk is not None else None
        if before is None or (before.is_live and not before.has_run_out) or not request.user.has_perms(MAY_BIND_AGAIN):
            return {}
        numbers = {"phone_a": f"+{before.phone_a}", "phone_b": f"+{before.phone_b}"}
        return {
            **numbers,
            "application": before.application_id,
            "pool_number": before.pool_number,
            "kind": before.kind.value,
        }

    def _to_what_came(self, request: HttpRequest, asked: BindingRequest) -> HttpResponse:
        if asked.entry is None or asked.entry.state != EntryState.ACCEPTED:
            messages.warning(
                request,
                _(
                    "Laaffic's answer was lost: whether it was done is not known. Not sent again; the list will show "
                    "it soon."
                ),
            )
        elif asked.binding is None:
            messages.success(request, _("Laaffic has accepted it; the next synchronisation shows the binding."))
        elif asked.verb == BindingRequest.Verb.UNBIND:
            messages.success(request, _("Unbound."))
        else:
            said = _("Bound: A sees %(a)s, B sees %(b)s.")
            messages.success(request, said % {"a": asked.binding.pns_number_a, "b": asked.binding.pns_number_b})
        if asked.binding is None:
            return HttpResponseRedirect(reverse("admin:numbers_binding_changelist"))
        return HttpResponseRedirect(own_page(asked.binding))

    # One binding

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        binding = self.get_object(request, object_id)
        if binding is None:
            return super().change_view(request, object_id, form_url, extra_context)
        if not self.has_view_permission(request, binding):
            raise PermissionDenied
        if may_see_contacts(request):
            exports.name_people([binding])
        return page(
            self,
            request,
            "numbers/binding.html",
            binding.shown_pair,
            binding=binding,
            state=state_of(binding),
            left=time_left(binding),
            requests=binding.requests.select_related("entry", "requested_by"),
            may_bind_again=request.user.has_perms(MAY_BIND_AGAIN),
            is_over=not binding.is_live or binding.has_run_out,
            over=over(),
            seen_pair=binding_changes.pair_as_shown(binding),
            may_unbind=binding.is_live and request.user.has_perms(MAY_UNBIND),
            asks_why=open_acts.like(binding_changes.unbind_digest(binding), binding.application) is not None,
            media=self.media,
        )

    def unbind_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, *MAY_UNBIND)
        binding = posted_row(request, Binding.objects.select_related("application"), pk)
        try:
            asked = binding_changes.unbind(
                binding,
                seen=request.POST.get("seen_pair", ""),
                again=request.POST.get(open_acts.FIELD, ""),
                by=signed_in(request),
            )
        except ValidationError as problem:
            say_why(request, problem)
            return HttpResponseRedirect(own_page(binding))
        return self._to_what_came(request, asked)


def state_of(binding: Binding) -> tuple[str, str]:
    if not binding.is_live:
        ended = dates.moment(binding.ended_at) if binding.ended_at else ""
        return binding.ending, f"{binding.get_ending_display()} {ended}"
    if binding.has_run_out:
        return "over", _("Has run out")
    return "live", _("Live")


def _label(state: str, shown: SafeString) -> SafeString:
    """The label in the state's colour; if the binding runs out while it is shown, it takes the other colour."""
    return display_for_label((state, shown), "", STATE_COLOURS)


def over() -> SafeString:
    """The label that countdown.js shows if a binding runs out while it is shown."""
    return meanings.inline("binding", "over", _("Has run out"))


def time_left(binding: Binding) -> SafeString | str:
    """The time left, in words that countdown.js counts down."""
    if not binding.is_live:
        return "–"
    if binding.expires_at is None:
        return _("not known")
    seconds = int((binding.expires_at - timezone.now()).total_seconds())
    days, clock = divmod(max(0, seconds), 86400)
    words = f"{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}"
    in_days = _("%(days)s d %(clock)s")
    return format_html(
        '<time class="c-mono" data-left="{}" data-over="{}" data-in-days="{}" title="{}">{}</time>',
        seconds,
        _("has run out"),
        in_days,
        f"{dates.exact(binding.expires_at)} {timezone.localtime(binding.expires_at):%Z}",
        (in_days % {"days": days, "clock": words} if days else words) if seconds > 0 else _("has run out"),
    )

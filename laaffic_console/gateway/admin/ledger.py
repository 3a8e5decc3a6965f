"""The ledger: every request that acts, and what came of it."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.decorators import action, display

from laaffic_console.gateway.meanings import family_of
from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.models.ledger import INTERFACES
from laaffic_console.gateway.services.ledger import subjects, words
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import own_page, page
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from laaffic_console.kit.words.stored_words import in_words

ENTRY_COLOURS = {
    EntryState.ACCEPTED: "success",
    EntryState.REFUSED: "danger",
    EntryState.NOT_SENT: "info",
    EntryState.UNKNOWN: "warning",
    EntryState.IN_FLIGHT: "info",
    EntryState.PREPARED: "default",
    EntryState.LAPSED: "default",
}


class InterfaceFilter(ChoiceFilter):
    title = gettext_lazy("interface")
    parameter_name = "interface"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(INTERFACES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
        return queryset.filter(interface=self.value()) if self.value() else queryset


class AboutFilter(admin.SimpleListFilter):
    """One thing, as the address of its page's “All requests” names it: campaign:12."""

    title = gettext_lazy("about")
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name, "")
        return [(asked, _named(*_thing(asked)))] if asked else []

    def has_output(self) -> bool:
        return bool(self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
        if not self.value():
            return queryset
        kind, pk = _thing(self.value() or "")
        return queryset.filter(about_kind=kind, about_id=pk)


def _thing(asked: str) -> tuple[str, int]:
    kind, _colon, written = asked.partition(":")
    if (pk := whole_number(written)) is None:
        raise IncorrectLookupParameters
    return kind, pk


def _named(kind: str, pk: int) -> str:
    return f"{in_words(kind)}: {subjects.thing_of(kind, pk) or pk}"


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    when_empty = gettext_lazy(
        "Whatever the console asks of Laaffic that acts is written "
        "here before it leaves. Launch a campaign, or test an application."
    )
    is_named_as_a_whole = True
    list_display = [
        "id",
        "interface",
        "application",
        "shown_state",
        "about",
        "recipients",
        "prepared_at",
        "took",
        "shown_code",
        "shown_reason",
    ]
    list_filter = ["state", InterfaceFilter, "application", AboutFilter]
    list_select_related = ["application"]
    actions_detail = ["say"]
    in_other_words = {
        "about_kind": "about",
        "about_id": None,
        "left_at": "shown_left",
        "clock_ahead": "shown_clock",
        "code": "shown_code",
        "reason": "shown_reason",
        "evidence": "shown_evidence",
        "evidence_kind": "shown_kind",
    }

    def get_fields(self, request: HttpRequest, obj: LedgerEntry | None = None) -> Any:
        words = self.in_other_words if masks.may_see() else {**self.in_other_words, "summary": "masked_summary"}
        shown = [words.get(name, name) for name in super().get_fields(request, obj)]
        return [name for name in dict.fromkeys(shown) if name]

    def has_say_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if not request.user.has_perm("gateway.settle_ledgerentry"):
            return False
        pk = whole_number(str(object_id))
        entry = None if pk is None else LedgerEntry.objects.filter(pk=pk).first()
        return entry is not None and words.may_settle(entry)

    @action(description=gettext_lazy("Say what happened to it"), url_path="say", permissions=["say"])
    def say(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A first request asks; only a POST settles it."""
        entry = get_object_or_404(LedgerEntry, pk=object_id)
        problems: list[str] = []
        why = request.POST.get("why", "")
        if request.method == "POST" and request.POST.get("word") in ("done", "not_done"):
            try:
                words.settle(entry.pk, was_done=request.POST["word"] == "done", why=why[:200], by=signed_in(request))
                return HttpResponseRedirect(own_page(entry))
            except ValidationError as problem:
                problems = problem.messages
        return page(
            self, request, "gateway/say.html", _("What happened to it?"), entry=entry, problems=problems, why=why
        )

    @display(description=gettext_lazy("state"), label=ENTRY_COLOURS)
    def shown_state(self, entry: LedgerEntry) -> tuple[str, str]:
        return entry.state, meanings.inline("ledger", entry.state, entry.get_state_display())

    @display(description=gettext_lazy("code"), ordering="code")
    def shown_code(self, entry: LedgerEntry) -> str:
        family = family_of(entry.application.channel if entry.application else "")
        return meanings.inline("code", f"{family.value} {entry.code}", entry.code)

    @display(description=gettext_lazy("about"))
    def about(self, entry: LedgerEntry) -> str:
        page = subjects.page_of(entry.about_kind, entry.about_id)
        if not page:
            return f"{in_words(entry.about_kind)} {entry.about_id or ''}"
        return format_html('<a href="{}">{} {}</a>', page, in_words(entry.about_kind), entry.about_id)

    @display(description=gettext_lazy("summary"))
    def masked_summary(self, entry: LedgerEntry) -> str:
        said = json.dumps(masks.in_pairs(entry.summary), ensure_ascii=False)
        return format_html('<span class="c-mono c-anywhere">{}</span>', said)

    @display(description=gettext_lazy("reason"))
    def shown_reason(self, entry: LedgerEntry) -> str:
        return masks.in_text(in_words(entry.reason))

    @display(description=gettext_lazy("evidence"))
    def shown_evidence(self, entry: LedgerEntry) -> str:
        return masks.in_text(in_words(entry.evidence))

    @display(description=gettext_lazy("known by"))
    def shown_kind(self, entry: LedgerEntry) -> str:
        return entry.get_evidence_kind_display()

    @display(description=gettext_lazy("recipients"))
    def recipients(self, entry: LedgerEntry) -> str:
        n = entry.summary.get("recipients")
        return "–" if n is None else number(n)

    @display(description=pgettext_lazy("moment", "left"))
    def shown_left(self, entry: LedgerEntry) -> str:
        return render_to_string("gateway/left.html", {"entry": entry}).strip()

    @display(description=gettext_lazy("clock ahead"))
    def shown_clock(self, entry: LedgerEntry) -> str:
        """How far the clock by which it left may have been before the database's; behind, if it is negative."""
        return "–" if entry.clock_ahead is None else _("%(n)s s") % {"n": number(round(entry.clock_ahead, 3))}

    @display(description=gettext_lazy("took"))
    def took(self, entry: LedgerEntry) -> str:
        if not entry.left_at or not entry.settled_at or entry.may_have_left_since:
            return ""
        milliseconds = round((entry.settled_at - entry.left_at).total_seconds() * 1000)
        return _("%(n)s ms") % {"n": number(milliseconds)}

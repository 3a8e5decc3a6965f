"""Call records: how calls ended, in plain words."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.gateway.copied_lists import CopiedListAdmin
from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.masked_admin import MaskedNumbers
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import POSTED, ask_first, own_page, page
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.registers.search_kinds import beginning_with
from laaffic_console.kit.words.figures import money
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import digits_of, plain, whole_number
from messaging.people.person_links import PersonColumn
from voice.models import CallRecord
from voice.services import call_charts, syncing
from voice.services.asking import lookups, records_pulls
from voice.services.records import cost_words

MAX_DIGITS = 15  # of a number; Laaffic's voice ids have more
MAY_ASK = "voice.change_callrecord"
COLOURS = {
    "answered": "success",
    "voicemail": "info",
    "busy": "warning",
    "no answer": "warning",
    "declined": "warning",
    "no such number": "danger",
    "failed": "danger",
}


def say_answer(request: HttpRequest, ask: Callable[[], object]) -> None:
    try:
        ask()
    except lookups.AskFailed as problem:
        messages.warning(request, masks.in_text(problem))
    else:
        messages.success(request, _("Laaffic has answered: this is what it says now."))


class PeriodFilter(ChoiceFilter):
    title = gettext_lazy("time")
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("The last day")), ("7", _("7 days")), ("31", _("31 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallRecord]) -> QuerySet[CallRecord]:
        days = self.value() or ""
        if days not in ("1", "7", "31"):
            return queryset
        return queryset.filter(at__gte=timezone.now() - dt.timedelta(days=int(days)))


class KeyFilter(ChoiceFilter):
    title = gettext_lazy("key pressed")
    parameter_name = "key"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("any", _("Any")), *((key, key) for key in "0123456789")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallRecord]) -> QuerySet[CallRecord]:
        chosen = self.value() or ""
        if not chosen:
            return queryset
        found = queryset.exclude(key_pressed="")  # needed with any key: the indexes hold only these rows
        return found if chosen == "any" else found.filter(key_pressed=chosen)


class RecordedFilter(ChoiceFilter):
    title = gettext_lazy("recording")
    parameter_name = "recorded"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("There is one"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallRecord]) -> QuerySet[CallRecord]:
        return queryset.exclude(recording_id="") if self.value() == "yes" else queryset


@admin.register(CallRecord)
class CallRecordAdmin(MaskedNumbers, PersonColumn, ExportedList, CopiedListAdmin):
    when_empty = gettext_lazy("A record comes when a call has ended. Make a call, or ask Laaffic for older ones.")
    export_name = "calls"
    number_column = "callee"
    masked = ("callee",)
    typed = ("called_info", "termination_reason", "cost_word")
    list_display = ["at", "callee", "shown_kind", "shown_outcome", "talked", "shown_cost", "key_pressed", "recorded"]
    list_display_links = ["at", "callee"]
    list_filter = ["outcome", "kind", PeriodFilter, KeyFilter, RecordedFilter]
    search_fields = ["callee"]
    search_help_text = gettext_lazy("The beginning of a number, or a whole voice id")
    list_before_template = "voice/records_panel.html"
    copies = syncing.COPIES
    follows_reading = False  # each look counts two months for the charts
    sync_permission = MAY_ASK

    actions_detail = ["ask", "decide_cost"]
    fields = [
        *("voice_id", "kind", "callee", "display_number", "operator"),
        *("at", "submitted_at", "called_at", "ringing_at", "answered_at", "hung_up_at"),
        *("talked", "billed", "outcome", "termination_code", "termination_reason", "call_status"),
        *("shown_cost", "shown_doubt", "cost_word", "bill_period", "key_pressed", "called_info"),
        *("phone_group", "phone_name", "voice_file_id", "recording_id", "recall_count", "task_id"),
        *("source", "first_seen_at"),
    ]

    @action(description=gettext_lazy("Ask Laaffic about this call"), url_path="ask", permissions=["ask"], attrs=POSTED)
    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        record = get_object_or_404(CallRecord, pk=object_id)
        sentence = _("Laaffic is asked for the record of this call. What is better or new is kept.")
        back = "admin:voice_callrecord_changelist"
        if asked := ask_first(self, request, _("Ask Laaffic about this call"), sentence, back=back):
            return asked
        say_answer(request, lambda: lookups.about_record(record))
        return HttpResponseRedirect(own_page(record))

    @action(description=gettext_lazy("Decide on the cost"), url_path="cost", permissions=["resolve"])
    def decide_cost(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let a person decide whether a cost that cannot be right is counted anyway."""
        record = get_object_or_404(CallRecord, pk=object_id)
        if request.method == "POST":
            take, why = request.POST.get("word") == "take", request.POST.get("why", "")
            try:
                cost_words.decide(record.pk, take=take, why=why, by=signed_in(request))
                messages.success(request, _("Recorded, with your reason."))
            except ValidationError as problem:
                say_why(request, problem)
            return HttpResponseRedirect(own_page(record))
        shown = "" if record.doubtful_cost is None else money(record.doubtful_cost, record.doubtful_currency)
        return page(self, request, "voice/call_cost.html", str(record), record=record, shown=shown)

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> Any:
        """Without the decision about the cost, unless the record's cost is doubted."""
        offered = super().get_actions_detail(request, object_id)
        pk = whole_number(str(object_id))
        record = None if pk is None else CallRecord.objects.filter(pk=pk).first()
        if record is not None and record.is_doubted:
            return offered
        return [action for action in offered if action.method.__name__ != "decide_cost"]

    def has_resolve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return bool(request.user.has_perms(["voice.view_callrecord", "voice.resolve_callrecord"]))

    def has_ask_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return bool(request.user.has_perms(["voice.view_callrecord", MAY_ASK]))

    def name_shown(self, name: str) -> str:
        return _("Group calls") if name == records_pulls.GROUP else str(capfirst(_("calls from SIP phones")))

    def sync_names(self) -> list[str]:
        return records_pulls.names()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        charts = call_charts.charts()
        panel = {
            "charts": charts,
            "rate_chart": json.dumps(charts["rate"]),
            "duration_chart": json.dumps(charts["duration"]),
        }
        return super().changelist_view(request, panel | (extra_context or {}))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CallRecord], search_term: str
    ) -> tuple[QuerySet[CallRecord], bool]:
        term = plain(search_term)
        digits = digits_of(term)
        if not term:
            return queryset, False
        if digits and len(digits) <= MAX_DIGITS:
            return queryset.filter(beginning_with("callee", digits)), False
        return queryset.filter(voice_id=term), False

    @display(description=gettext_lazy("kind"), ordering="kind")
    def shown_kind(self, record: CallRecord) -> str:
        return record.get_kind_display() if record.kind else "–"

    @display(description=gettext_lazy("outcome"), label=COLOURS, ordering="outcome")
    def shown_outcome(self, record: CallRecord) -> tuple[str, str]:
        return record.outcome, meanings.inline("call", record.outcome, record.get_outcome_display())

    @display(description=gettext_lazy("talked"))
    def talked(self, record: CallRecord) -> str:
        return "–" if record.duration is None else _("%(n)d s") % {"n": record.duration}

    @display(description=gettext_lazy("billed"))
    def billed(self, record: CallRecord) -> str:
        return "–" if record.charged is None else _("%(n)d s") % {"n": record.charged}

    @display(description=gettext_lazy("doubtful cost"))
    def shown_doubt(self, record: CallRecord) -> str:
        return "–" if record.doubtful_cost is None else money(record.doubtful_cost, record.doubtful_currency)

    @display(description=gettext_lazy("cost"))
    def shown_cost(self, record: CallRecord) -> str:
        return _("doubtful") if record.is_doubted else record.money or "–"

    @display(description=gettext_lazy("recording"))
    def recorded(self, record: CallRecord) -> str:
        return record.recording_id or "–"

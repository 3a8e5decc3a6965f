import datetime as dt
import json
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_q import models as queue_models
from unfold.decorators import action, display

from laaffic_console.gateway.models import (
    AccountHold,
    Application,
    BalanceReading,
    EntryState,
    LedgerEntry,
    OrphanReport,
    PushedBody,
    PushKind,
    Trouble,
    WorkerHeartbeat,
)
from laaffic_console.gateway.services import account_hold, account_watch, balance_history, clock, draining, words
from laaffic_console.kit import dates, masks
from laaffic_console.kit.console_admin import ModelAdmin
from laaffic_console.kit.figures import money, number
from laaffic_console.kit.masked_admin import MaskedNumbers
from laaffic_console.kit.pages import POSTED, ask_first, page
from laaffic_console.kit.people import signed_in
from laaffic_console.kit.read_only import ReadOnlyAdmin
from laaffic_console.kit.shared_rows import SharedRowAdmin
from laaffic_console.kit.stored_words import in_words

# The queue only rings bells; its tables would tell an operator nothing.
for model in (queue_models.Schedule, queue_models.Success, queue_models.Failure, queue_models.OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

ENTRY_COLOURS = {
    EntryState.ACCEPTED: "success",
    EntryState.REFUSED: "danger",
    EntryState.NOT_SENT: "info",
    EntryState.UNKNOWN: "warning",
    EntryState.IN_FLIGHT: "info",
    EntryState.PREPARED: "default",
    EntryState.LAPSED: "default",
}

# What a request is about → the page that shows it.
ABOUT_PAGES = {
    "campaign": "admin:messaging_campaign_change",
    "email campaign": "admin:messaging_emailcampaign_change",
    "MMS attachment": "admin:messaging_mmsattachment_change",
}


@admin.register(Application)
class ApplicationAdmin(SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy("An application is one of yours at Laaffic: add its appId, and choose what it sends.")
    list_display = ["name_or_id", "app_id", "channel", "sender_id", "rate_per_second", "connections", "is_active"]
    list_filter = ["channel", "is_active"]
    search_fields = ["app_id", "name"]
    actions_list = ["check_account"]
    actions_detail = ["check_application"]
    fieldsets = [
        (None, {"fields": ["app_id", "channel", "name", "sender_id", "is_active"]}),
        (
            gettext_lazy("Sending"),
            {"fields": ["rate_per_second", "connections", "several_texts_per_call", "others_seen_at"]},
        ),
        (gettext_lazy("Account"), {"fields": ["balance"]}),
        (gettext_lazy("Callbacks"), {"fields": ["callback_addresses"]}),
    ]
    readonly_fields = ["callback_addresses", "others_seen_at", "balance"]

    @display(description=gettext_lazy("application"), header=True)
    def name_or_id(self, application: Application) -> list[str]:
        return [application.name or application.app_id, application.get_channel_display()]

    def get_fieldsets(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """The addresses are secrets: only who may change applications sees them."""
        shown = super().get_fieldsets(request, obj)
        sees_money = request.user.has_perm("gateway.view_balancereading")
        shown = [part for part in shown if sees_money or part[1]["fields"] != ["balance"]]
        return shown if self.has_change_permission(request, obj) else shown[:-1]

    @display(description=gettext_lazy("balance"))
    def balance(self, application: Application) -> str:
        """The account's, which all its applications share; *Test connection* asks for it anew."""
        reading = balance_history.latest()
        if reading is None:
            return _("Not read yet. “Test connection” reads it.")
        said = _("%(amount)s, read %(when)s") % {"amount": reading, "when": naturaltime(reading.at)}
        if reading.gift is not None or reading.credit is not None:
            parts = {"gift": reading.gift, "credit": reading.credit}
            more = {name: "–" if part is None else money(part, reading.currency) for name, part in parts.items()}
            said += " · " + _("bonus %(gift)s, credit line %(credit)s") % more
        low = _("low")
        return f"{said} · {low}" if balance_history.is_low(reading) else said

    @display(description=gettext_lazy("to give to Laaffic"))
    def callback_addresses(self, application: Application) -> str:
        if not settings.LAAFFIC_PUSH_TOKENS:
            return _("Set LAAFFIC_PUSH_TOKENS first: without a token the console takes no pushes.")
        token = settings.LAAFFIC_PUSH_TOKENS[0]
        kinds = {
            "sms": [PushKind.SMS_REPORT, PushKind.SMS_REPLY],
            "voice": [PushKind.VOICE_REPORT, PushKind.VOICE_RINGING],
            "email": [PushKind.EMAIL_REPORT],
        }
        rows = [
            (kind.label, settings.CONSOLE_URL + reverse("hooks:push", args=[token, kind.value]))
            for kind in kinds.get(application.channel, list(PushKind))
        ]
        return format_html_join("", '<p>{}<br><span class="c-mono c-anywhere">{}</span></p>', rows)

    @action(description=gettext_lazy("Test connection"), url_path="check-account", permissions=["change"], attrs=POSTED)
    def check_account(self, request: HttpRequest) -> HttpResponse:
        if asked := self._ask_first(request):
            return asked
        say_test(request, account_watch.try_connection(None))
        return HttpResponseRedirect(reverse("admin:gateway_application_changelist"))

    @action(description=gettext_lazy("Test connection"), url_path="check", permissions=["change"], attrs=POSTED)
    def check_application(self, request: HttpRequest, object_id: str) -> HttpResponse:
        application = get_object_or_404(Application, pk=object_id)
        if asked := self._ask_first(request):
            return asked
        say_test(request, account_watch.try_connection(application))
        return HttpResponseRedirect(reverse("admin:gateway_application_change", args=[application.pk]))

    def _ask_first(self, request: HttpRequest) -> HttpResponse | None:
        sentence = _("Laaffic is asked for the balance with the console's credentials. Nothing is sent.")
        return ask_first(self, request, _("Test connection"), sentence, back="admin:gateway_application_changelist")

    def has_delete_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:
        """What has sent is in the ledger for good; switch it off instead."""
        used = obj is not None and (obj.campaigns.exists() or LedgerEntry.objects.filter(application=obj).exists())
        return not used and super().has_delete_permission(request, obj)


def say_test(request: HttpRequest, found: account_watch.ConnectionTest) -> None:
    say = messages.success if found.is_well else messages.error
    say(request, " ".join(found.sentences))


@admin.register(AccountHold)
class AccountHoldAdmin(ReadOnlyAdmin):
    when_empty = gettext_lazy(
        "Nothing is held. The console holds what Laaffic refuses for credentials, balance or rights, and says so here."
    )
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
        return str(hold.application) if hold.application else _("everything")

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
            messages.success(request, in_words(hold.released_because))
        else:
            said = in_words(hold.last_answer) or _("There is nothing that could be asked: end it when it is mended.")
            messages.warning(request, _("It still holds. %(answer)s") % {"answer": said})
        return HttpResponseRedirect(reverse("admin:gateway_accounthold_change", args=[object_id]))

    @action(description=gettext_lazy("End this hold"), url_path="end", permissions=["end"])
    def end_hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A first request asks; only a POST ends it."""
        hold = get_object_or_404(AccountHold, pk=object_id)
        if request.method != "POST":
            return page(self, request, "gateway/end_hold.html", _("End this hold?"), hold=hold)
        if account_hold.release(hold.pk, because=_("Ended by a person."), by=signed_in(request)):
            messages.success(request, _("The hold has ended; what it stopped goes on."))
        return HttpResponseRedirect(reverse("admin:gateway_accounthold_change", args=[hold.pk]))


@admin.register(BalanceReading)
class BalanceReadingAdmin(ReadOnlyAdmin):
    when_empty = gettext_lazy("Test the connection of an application: that reads the balance.")
    is_named_as_a_whole = True
    list_display = ["at", "balance", "gift", "credit", "currency"]
    list_before_template = "gateway/balance_chart.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        days = 7
        readings = balance_history.points(timezone.now() - dt.timedelta(days=days))
        chart = {
            "labels": [dates.hour(reading.at) for reading in readings],
            "datasets": [
                {
                    "label": _("Balance"),
                    "data": [float(reading.balance) for reading in readings],
                    "borderColor": "#2563eb",
                    "backgroundColor": "#2563eb",
                    "pointRadius": 0 if len(readings) > 40 else 2,
                }
            ],
        }
        given = {"chart": json.dumps(chart), "chart_days": days, "has_readings": bool(readings)}
        return super().changelist_view(request, {**(extra_context or {}), **given})


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
        "code",
        "shown_reason",
    ]
    list_filter = ["state", "interface", "application"]
    list_select_related = ["application"]
    actions_detail = ["say"]
    in_other_words = {"about_kind": "about", "about_id": None, "reason": "shown_reason", "evidence": "shown_evidence"}

    def get_fields(self, request: HttpRequest, obj: LedgerEntry | None = None) -> Any:
        words = self.in_other_words if masks.may_see() else {**self.in_other_words, "summary": "masked_summary"}
        shown = [words.get(name, name) for name in super().get_fields(request, obj)]
        return [name for name in dict.fromkeys(shown) if name]

    def has_say_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if not request.user.has_perm("gateway.settle_ledgerentry"):
            return False
        entry = LedgerEntry.objects.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        return entry is not None and words.may_settle(entry)

    @action(description=gettext_lazy("Say what became of it"), url_path="say", permissions=["say"])
    def say(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A first request asks; only a POST settles it."""
        entry = get_object_or_404(LedgerEntry, pk=object_id)
        problems: list[str] = []
        why = request.POST.get("why", "")
        if request.method == "POST" and request.POST.get("word") in ("done", "not_done"):
            try:
                words.settle(entry.pk, was_done=request.POST["word"] == "done", why=why[:200], by=signed_in(request))
                return HttpResponseRedirect(reverse("admin:gateway_ledgerentry_change", args=[entry.pk]))
            except ValidationError as problem:
                problems = problem.messages
        return page(self, request, "gateway/say.html", _("What became of it?"), entry=entry, problems=problems, why=why)

    @display(description=gettext_lazy("state"), label=ENTRY_COLOURS)
    def shown_state(self, entry: LedgerEntry) -> tuple[str, str]:
        return entry.state, entry.get_state_display()

    @display(description=gettext_lazy("about"))
    def about(self, entry: LedgerEntry) -> str:
        if entry.about_kind not in ABOUT_PAGES or entry.about_id is None:
            return f"{in_words(entry.about_kind)} {entry.about_id or ''}"
        page = reverse(ABOUT_PAGES[entry.about_kind], args=[entry.about_id])
        return format_html('<a href="{}">{} {}</a>', page, in_words(entry.about_kind), entry.about_id)

    @display(description=gettext_lazy("summary"))
    def masked_summary(self, entry: LedgerEntry) -> str:
        said = json.dumps(masks.in_pairs(entry.summary), ensure_ascii=False)
        return format_html('<span class="c-mono c-anywhere">{}</span>', said)

    @display(description=gettext_lazy("reason"))
    def shown_reason(self, entry: LedgerEntry) -> str:
        return in_words(entry.reason)

    @display(description=gettext_lazy("evidence"))
    def shown_evidence(self, entry: LedgerEntry) -> str:
        return in_words(entry.evidence)

    @display(description=gettext_lazy("recipients"))
    def recipients(self, entry: LedgerEntry) -> int | str:
        return entry.summary.get("recipients", "")

    @display(description=gettext_lazy("took"))
    def took(self, entry: LedgerEntry) -> str:
        if not entry.left_at or not entry.settled_at:
            return ""
        milliseconds = round((entry.settled_at - entry.left_at).total_seconds() * 1000)
        return _("%(n)s ms") % {"n": number(milliseconds)}


class FailedFilter(admin.SimpleListFilter):
    title = gettext_lazy("not applied")
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("Something could not be applied"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PushedBody]) -> QuerySet[PushedBody]:
        return queryset.filter(failed__gt=0) if self.value() == "yes" else queryset


@admin.register(Trouble)
class TroubleAdmin(ReadOnlyAdmin):
    """One that does not succeed again under its name, such as a record that is gone, is deleted by a person."""

    when_empty = gettext_lazy("Nothing has failed alone. What could not be applied is named here until it can.")

    list_display = ["what", "problem", "first_at", "last_at", "times"]
    paginator = ModelAdmin.paginator

    @display(description=gettext_lazy("what"), ordering="name")
    def what(self, trouble: Trouble) -> str:
        return in_words(trouble.name)

    def has_delete_permission(self, request: HttpRequest, obj: Trouble | None = None) -> bool:
        return request.user.has_perm("gateway.delete_trouble")


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
        "Nothing was pushed yet. Give Laaffic the callback addresses: they stand on the page of each application."
    )
    is_named_as_a_whole = True
    list_display = ["id", "kind", "received_at", "source", "entries", "applied_at", "failed", "trouble"]
    list_filter = ["kind", FailedFilter]
    actions_detail = ["try_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PushedBody]:
        """Of a list of them the bodies, up to 5 MiB each, are not read."""
        bodies = super().get_queryset(request)
        return (
            bodies if request.resolver_match and "object_id" in request.resolver_match.kwargs else bodies.defer("body")
        )

    @display(description=gettext_lazy("problems"))
    def trouble(self, body: PushedBody) -> str:
        return "; ".join(body.problems)[:120]

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
            messages.warning(request, _("It waits to be applied already."))
        return HttpResponseRedirect(reverse("admin:gateway_pushedbody_change", args=[body.pk]))


@admin.register(OrphanReport)
class OrphanReportAdmin(MaskedNumbers, AsItCame):
    when_empty = gettext_lazy("Every report has found its message.")
    masked = ("number",)
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


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    when_empty = gettext_lazy("No worker has run yet: start one with manage.py worker.")
    list_display = ["worker", "host", "pid", "started_at", "beat_at", "restarts", "shown_skew", "stopped_at"]
    paginator = ModelAdmin.paginator
    ordering = ["-started_at"]

    @display(description=gettext_lazy("clock"), label={"off": "warning", "well": "success"})
    def shown_skew(self, worker: WorkerHeartbeat) -> tuple[str, str] | str:
        if worker.clock_skew is None:
            return ""
        is_off = clock.is_off(worker.clock_skew)
        return ("off", _("%(n)+d s") % {"n": -worker.clock_skew}) if is_off else ("well", _("right"))

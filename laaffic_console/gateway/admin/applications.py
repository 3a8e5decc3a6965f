"""Applications, the test of their connection, and what the account had in money."""

import datetime as dt
import json
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from laaffic_console.gateway.models import Application, BalanceReading, LedgerEntry, PushKind
from laaffic_console.gateway.services.account import account_watch, applications, balance_history
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import POSTED, ask_first, own_page
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.figures import money


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

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None) -> Any:
        kept = ("app_id", "channel") if obj is not None and applications.is_used(obj) else ()
        return [*kept, *super().get_readonly_fields(request, obj)]

    @display(description=gettext_lazy("application"))
    def name_or_id(self, application: Application) -> str:
        return application.name or application.app_id

    def get_fieldsets(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """The addresses are secrets: only who may change applications sees them."""
        shown = super().get_fieldsets(request, obj)
        sees_money = request.user.has_perm("gateway.view_balancereading")
        shown = [part for part in shown if sees_money or part[1]["fields"] != ["balance"]]
        if obj is not None and applications.is_used(obj):
            said = _(
                "It has sent, or is about to, so its appId and channel stay: what happened to its messages is looked "
                "for by them."
            )
            shown = [(shown[0][0], {**shown[0][1], "description": said}), *shown[1:]]
        return shown if self.has_change_permission(request, obj) else shown[:-1]

    @display(description=gettext_lazy("balance"))
    def balance(self, application: Application) -> str:
        """The account's, which all its applications share; *Test connection* asks for it again."""
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
        shown = '<p>{}<br><span class="c-mono c-anywhere" data-copy="{}" data-copied="{}">{}</span></p>'
        return format_html_join("", shown, [(label, _("Copy"), _("Copied"), address) for label, address in rows])

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
        return HttpResponseRedirect(own_page(application))

    def _ask_first(self, request: HttpRequest) -> HttpResponse | None:
        sentence = _("Laaffic is asked for the balance with the console's credentials. Nothing is sent.")
        return ask_first(self, request, _("Test connection"), sentence, back="admin:gateway_application_changelist")

    def has_delete_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:
        """False for one that has sent, which is in the ledger for good; switch it off instead."""
        used = obj is not None and (obj.campaigns.exists() or LedgerEntry.objects.filter(application=obj).exists())
        return not used and super().has_delete_permission(request, obj)


def say_test(request: HttpRequest, found: account_watch.ConnectionTest) -> None:
    say = messages.success if found.is_well else messages.error
    say(request, masks.in_text(" ".join(found.sentences)))


@admin.register(BalanceReading)
class BalanceReadingAdmin(ReadOnlyAdmin):
    when_empty = gettext_lazy("Test the connection of an application: that reads the balance.")
    is_named_as_a_whole = True
    list_display = ["at", "shown_balance", "shown_gift", "shown_credit", "currency"]
    fields = list_display
    list_before_template = "gateway/balance_chart.html"

    @display(description=gettext_lazy("balance"))
    def shown_balance(self, reading: BalanceReading) -> str:
        return money(reading.balance)

    @display(description=gettext_lazy("bonus"))
    def shown_gift(self, reading: BalanceReading) -> str:
        return "–" if reading.gift is None else money(reading.gift)

    @display(description=gettext_lazy("credit line"))
    def shown_credit(self, reading: BalanceReading) -> str:
        return "–" if reading.credit is None else money(reading.credit)

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
        given = {"chart": json.dumps(chart), "chart_days": days, "has_readings": len(readings) > 1}
        return super().changelist_view(request, {**(extra_context or {}), **given})

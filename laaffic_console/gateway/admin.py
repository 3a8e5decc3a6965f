from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_q import models as queue_models
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from laaffic_console.dashboard.read_only import ReadOnlyAdmin
from laaffic_console.gateway.models import (
    Application,
    CallState,
    GatewayCall,
    OrphanReport,
    PushedBody,
    PushKind,
    WorkerHeartbeat,
)
from laaffic_console.gateway.services.account import NotConfigured, check_credentials
from laaffic_console.laaffic import LaafficError, Refused

# The queue only rings bells; its tables would tell an operator nothing.
for model in (queue_models.Schedule, queue_models.Success, queue_models.Failure, queue_models.OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

CALL_COLOURS = {
    CallState.ACCEPTED: "success",
    CallState.REFUSED: "danger",
    CallState.NOT_SENT: "info",
    CallState.UNKNOWN: "warning",
    CallState.IN_FLIGHT: "info",
    CallState.PREPARED: "default",
}


@admin.register(Application)
class ApplicationAdmin(ModelAdmin):
    list_display = ["name_or_id", "app_id", "channel", "sender_id", "rate_per_second", "connections", "is_active"]
    list_filter = ["channel", "is_active"]
    search_fields = ["app_id", "name"]
    actions_list = ["check_account"]
    fieldsets = [
        (None, {"fields": ["app_id", "channel", "name", "sender_id", "is_active"]}),
        (gettext_lazy("Sending"), {"fields": ["rate_per_second", "connections", "several_texts_per_call"]}),
        (gettext_lazy("Callbacks"), {"fields": ["callback_addresses"]}),
    ]
    readonly_fields = ["callback_addresses"]

    @display(description=gettext_lazy("application"), header=True)
    def name_or_id(self, application: Application) -> list[str]:
        return [application.name or application.app_id, application.get_channel_display()]

    def get_fieldsets(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """The addresses are secrets: only who may change applications sees them."""
        shown = super().get_fieldsets(request, obj)
        return shown if self.has_change_permission(request, obj) else shown[:2]

    @display(description=gettext_lazy("to give to Laaffic"))
    def callback_addresses(self, application: Application) -> str:
        if not settings.LAAFFIC_PUSH_TOKENS:
            return _("Set LAAFFIC_PUSH_TOKENS first: without a token the console takes no pushes.")
        token = settings.LAAFFIC_PUSH_TOKENS[0]
        kinds = {
            "sms": [PushKind.SMS_REPORT, PushKind.SMS_REPLY],
            "voice": [PushKind.VOICE_REPORT],
            "email": [PushKind.EMAIL_REPORT],
        }
        rows = [
            (kind.label, settings.CONSOLE_URL + reverse("hooks:push", args=[token, kind.value]))
            for kind in kinds.get(application.channel, list(PushKind))
        ]
        return format_html_join("", '<p>{}<br><span class="c-mono">{}</span></p>', rows)

    @action(description=gettext_lazy("Check credentials"), url_path="check-account", permissions=["change"])
    def check_account(self, request: HttpRequest) -> HttpResponse:
        try:
            balance = check_credentials()
        except NotConfigured as problem:
            messages.error(request, str(problem))
        except Refused as refusal:
            said = _("Laaffic refuses with %(code)s: %(meaning)s. %(advice)s")
            messages.error(request, said % {"code": refusal.code, "meaning": refusal.meaning, "advice": refusal.advice})
        except LaafficError as problem:
            messages.error(
                request,
                _("No usable answer from Laaffic (%(why)s). Check LAAFFIC_BASE_URL.") % {"why": problem.message},
            )
        else:
            messages.success(request, _("The credentials are right. Balance: %(amount)s") % {"amount": balance.balance})
        return HttpResponseRedirect(reverse("admin:gateway_application_changelist"))

    def has_delete_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:
        """What has sent is in the ledger for good; switch it off instead."""
        used = obj is not None and (obj.campaigns.exists() or GatewayCall.objects.filter(application=obj).exists())
        return not used and super().has_delete_permission(request, obj)


@admin.register(GatewayCall)
class GatewayCallAdmin(ReadOnlyAdmin):
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
        "reason",
    ]
    list_filter = ["state", "interface", "application"]
    list_select_related = ["application"]

    @display(description=gettext_lazy("state"), label=CALL_COLOURS)
    def shown_state(self, call: GatewayCall) -> tuple[str, str]:
        return call.state, call.get_state_display()

    @display(description=gettext_lazy("about"))
    def about(self, call: GatewayCall) -> str:
        if call.about_kind != "campaign":
            return f"{call.about_kind} {call.about_id or ''}"
        page = reverse("admin:messaging_campaign_change", args=[call.about_id])
        return format_html('<a href="{}">{} {}</a>', page, _("Campaign"), call.about_id)

    @display(description=gettext_lazy("recipients"))
    def recipients(self, call: GatewayCall) -> int | str:
        return call.summary.get("recipients", "")

    @display(description=gettext_lazy("took"))
    def took(self, call: GatewayCall) -> str:
        if not call.left_at or not call.settled_at:
            return ""
        return f"{(call.settled_at - call.left_at).total_seconds() * 1000:,.0f} ms"


@admin.register(PushedBody)
class PushedBodyAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "received_at", "source", "entries", "applied_at", "trouble"]
    list_filter = ["kind"]

    @display(description=gettext_lazy("problems"))
    def trouble(self, body: PushedBody) -> str:
        return "; ".join(body.problems)[:120]


@admin.register(OrphanReport)
class OrphanReportAdmin(ReadOnlyAdmin):
    list_display = ["gateway_id", "order_id", "number", "kind", "first_seen", "tries", "next_try_at", "matched_at"]
    list_filter = ["kind"]


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["worker", "host", "pid", "started_at", "beat_at", "restarts", "stopped_at"]
    paginator = ModelAdmin.paginator
    ordering = ["-started_at"]

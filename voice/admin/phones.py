from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from voice.admin.sync_state import CopiedListAdmin
from voice.models import SipPhone
from voice.services import phones, syncing


@admin.register(SipPhone)
class SipPhoneAdmin(CopiedListAdmin):
    """Laaffic's list; there is no password in it."""

    list_display = ["account", "name", "group_name", "display_number", "application", "state", "call_from_it"]
    list_filter = [("application", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["application"]
    search_fields = ["account", "name"]
    sync_permission = "voice.add_sipcall"

    def sync_names(self) -> list[str]:
        return [phones.name_of(application) for application in syncing.applications()]

    @display(description=gettext_lazy("state"), label={"listed": "success", "gone": "default"})
    def state(self, phone: SipPhone) -> tuple[str, str]:
        return ("listed", _("Listed")) if phone.gone_at is None else ("gone", _("Gone"))

    @display(description="")
    def call_from_it(self, phone: SipPhone) -> SafeString | str:
        if phone.gone_at is not None:
            return ""
        address = f"{reverse('admin:voice_sipcall_add')}?phone={phone.pk}"
        return format_html('<a class="c-link" href="{}">{}</a>', address, _("Call"))

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = list(super().get_list_display(request))
        return shown if request.user.has_perm("voice.add_sipcall") else shown[:-1]

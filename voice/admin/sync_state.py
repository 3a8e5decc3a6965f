"""Above a list that is copied from Laaffic: how old the copy is, and a button that has it read again."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from laaffic_console.kit.pages import require
from laaffic_console.kit.read_only import ReadOnlyAdmin
from voice.models import VoiceSync
from voice.services import syncing


class CopiedListAdmin(ReadOnlyAdmin):
    list_before_template = "voice/sync_state.html"
    sync_permission: str

    def sync_names(self) -> list[str]:
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("sync/", wrap(self.sync_view), name=self.page_name("sync")), *super().get_urls()]

    def page_name(self, what: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{what}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        names = self.sync_names()
        panel = {
            "statuses": VoiceSync.objects.filter(name__in=names).order_by("name"),
            "nobody_uses_voice": not names,
            "may_sync": request.user.has_perm(self.sync_permission),
            "sync_url": reverse(f"admin:{self.page_name('sync')}"),
        }
        return super().changelist_view(request, panel | (extra_context or {}))

    def sync_view(self, request: HttpRequest) -> HttpResponse:
        require(request, self.sync_permission)
        if request.method != "POST":
            raise Http404
        if names := self.sync_names():
            syncing.request(*names)
            messages.success(request, _("Asked for. The list moves when a worker has read it."))
        return HttpResponseRedirect(reverse(f"admin:{self.page_name('changelist')}"))

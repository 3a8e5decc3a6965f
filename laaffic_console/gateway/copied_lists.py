"""The admin of a list that is copied from Laaffic: how old the copy is, and a button that has it read again."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from laaffic_console.gateway.services.lists.list_copies import Copies
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.pages import require
from laaffic_console.kit.words.stored_words import in_words


class CopiedListAdmin(ReadOnlyAdmin):
    """The rows are Laaffic's: they are read from there and changed only through services."""

    list_before_template = "gateway/copied_list.html"
    copies: ClassVar[Copies[Any]]
    sync_permission: str  # who may ask for a synchronisation
    follows_reading: ClassVar[bool] = True  # whether the panel moves by itself while the list is read

    def sync_names(self) -> Sequence[str]:
        """The names of the copies that the list shows; none where nobody uses the channel."""
        raise NotImplementedError

    def name_shown(self, name: str) -> str:
        """What a copy is called where the list shows several."""
        return in_words(name)

    def page_name(self, what: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{what}"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("sync/", wrap(self.sync_view), name=self.page_name("sync")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        names = self.sync_names()
        found = self.copies.named(names)
        panel = {
            "copies": [(copy, self.copies.is_old(copy), self.name_shown(copy.name)) for copy in found],
            "is_unused": not names,
            "channel": self.copies.channel.label,
            "is_running": self.follows_reading and any(copy.is_running for copy in found),
            "may_sync": request.user.has_perm(self.sync_permission),
            "sync_url": reverse(f"admin:{self.page_name('sync')}"),
        }
        return super().changelist_view(request, panel | (extra_context or {}))

    def sync_view(self, request: HttpRequest) -> HttpResponse:
        require(request, self.sync_permission)
        if request.method != "POST":
            raise Http404
        if self.copies.request(*self.sync_names()):
            messages.success(request, _("Asked for. The list moves when a worker has read it."))
        else:
            channel = {"channel": self.copies.channel.label}
            messages.error(request, _("Register an application of the channel %(channel)s first.") % channel)
        return HttpResponseRedirect(reverse(f"admin:{self.page_name('changelist')}"))

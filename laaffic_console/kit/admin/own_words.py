"""What a page says after a row was saved or deleted: our own short sentence in the place of Django's."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import model_ngettext
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from laaffic_console.kit.pages import own_page
from laaffic_console.kit.words.figures import number


class SaysWhatWasDone:
    has_view_permission: Any  # of the admin that this is beside
    model: Any

    def said_when_saved(self, request: HttpRequest, row: Any) -> str:
        """The sentence for a saved row, with a link to the row unless the next page is its own."""
        is_here = "_continue" in request.POST or not self.has_view_permission(request, row)
        name = str(row) if is_here else format_html('<a href="{}">{}</a>', own_page(row), row)
        return format_html(_("“{name}” is saved."), name=name)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        _keep(request, self.said_when_saved(request, obj))
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)  # type: ignore[misc]
        return answer

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        _keep(request, self.said_when_saved(request, obj))
        answer: HttpResponse = super().response_change(request, obj)  # type: ignore[misc]
        return answer

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        _keep(request, _("“%(name)s” is deleted.") % {"name": obj_display})
        answer: HttpResponse = super().response_delete(request, obj_display, obj_id)  # type: ignore[misc]
        return answer

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Say how many rows chosen in a list were deleted; a row on its own page gets its sentence after this."""
        count = len(queryset)
        _keep(request, _("Deleted: %(n)s %(rows)s.") % {"n": number(count), "rows": model_ngettext(self.model, count)})
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def message_user(
        self, request: HttpRequest, message: Any, level: int | str = messages.INFO, *args: Any, **kwargs: Any
    ) -> None:
        """Django's responses say one sentence each, by this, when all went well: only that one is replaced."""
        own = request.__dict__.pop("own_words", None) if level == messages.SUCCESS else None
        super().message_user(request, own or message, level, *args, **kwargs)  # type: ignore[misc]


def _keep(request: HttpRequest, words: str) -> None:
    request.own_words = words  # type: ignore[attr-defined]

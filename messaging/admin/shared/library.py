"""A library of files that are kept once here and uploaded to Laaffic: what the pages of every kind of file share."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import own_page, posted_row, require
from laaffic_console.kit.words.not_now import NotNow


class Library(Protocol):
    """The module of services that keeps the files."""

    def while_not_uploaded(self, pk: int, /) -> AbstractContextManager[None]: ...

    def archive(self, pk: int, /, *, is_archived: bool) -> None: ...


class LibraryAdmin(ModelAdmin):
    library: Library
    list_filter_sheet = False
    list_select_related = ["created_by"]
    search_fields = ["name"]
    list_per_page = 50

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A file is what it is: nothing about it is edited."""
        return False

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Under its upload's lease, which comes before the row's lock: what is being uploaded stays."""
        file = self.get_object(request, unquote(object_id))
        if request.method != "POST" or file is None:
            return super().delete_view(request, object_id, extra_context)
        try:
            with self.library.while_not_uploaded(file.pk):
                return super().delete_view(request, object_id, extra_context)
        except NotNow as problem:
            say_why(request, problem)
            return HttpResponseRedirect(own_page(file))

    def archive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        file = self.posted(request, pk, "add")
        if (wanted := request.POST.get("archive")) in ("yes", "no"):
            self.library.archive(pk, is_archived=wanted == "yes")
        return HttpResponseRedirect(own_page(file))

    def posted(self, request: HttpRequest, pk: int, right: str) -> Any:
        """The file that a button is about; refused to people who may not `right` it."""
        require(request, *(f"{self.opts.app_label}.{verb}_{self.opts.model_name}" for verb in ("view", right)))
        return posted_row(request, self.get_queryset(request), pk)

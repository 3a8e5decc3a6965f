"""Calendars, whose calendar counts for which application, and the word that puts one aside."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.forms.shared_rows import SeenForm, SharedRowAdmin
from laaffic_console.kit.pages import require
from messaging.admin.rules import calendar_form
from messaging.admin.rules.by_word import by_word_view
from messaging.admin.rules.calendar_form import CalendarForm
from messaging.models import ApplicationCalendar, Calendar
from messaging.services.campaigns import calendars

MAY_PUT_ASIDE = "messaging.approve_campaign"


@admin.register(Calendar)
class CalendarAdmin(SharedRowAdmin, ModelAdmin):
    form = CalendarForm
    when_empty = gettext_lazy("Add the hours in which people may be reached: mon-fri 09:00-20:00, by their own clock.")
    list_display = ["name", "hours", "changed_at"]
    search_fields = ["name"]
    list_per_page = 50
    fields = ["name", "hours", "left_out"]

    def get_urls(self) -> list[URLPattern]:
        look = path("look/", self.admin_site.admin_view(self.look_view), name="messaging_calendar_look")
        return [look, *super().get_urls()]

    def look_view(self, request: HttpRequest) -> HttpResponse:
        return calendar_form.look_view(self, request)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        response: Any = super().render_change_form(request, context, *args, **kwargs)
        form = context["adminform"].form
        if "hours" in form.fields:  # else it is only looked at
            response.template_name = "messaging/calendars/page.html"
            response.context_data |= {"form": form, "beside_form": "calendar_form"}
        return response

    def save_model(self, request: HttpRequest, obj: Calendar, form: Any, change: bool) -> None:
        calendars.save(obj, form.own_columns() if isinstance(form, SeenForm) else ["name", "hours", "left_out"])


@admin.register(ApplicationCalendar)
class ApplicationCalendarAdmin(SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy("Choose an application and the calendar of its campaigns that name none of their own.")
    fields = ["application", "calendar"]
    list_display = ["application", "shown_calendar", "changed_at"]
    list_select_related = ["application", "calendar"]
    list_per_page = 50

    @display(description=gettext_lazy("calendar"))
    def shown_calendar(self, given: ApplicationCalendar) -> str:
        return str(given.calendar or "–")

    def get_readonly_fields(self, request: HttpRequest, obj: ApplicationCalendar | None = None) -> list[str]:
        """Of one that is there only the calendar changes: what the application has waiting is looked at again by it."""
        return ["application"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: ApplicationCalendar, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        calendars.follow()

    def has_delete_permission(self, request: HttpRequest, obj: ApplicationCalendar | None = None) -> bool:
        """It is emptied instead, and what waits by it is looked at again."""
        return False


def outside_hours_view(
    admin: Any,
    request: HttpRequest,
    campaign: Any,
    *,
    act: Callable[..., Any] = calendars.send_outside_hours,
    rights: Sequence[str] = ("messaging.view_campaign", MAY_PUT_ASIDE),
) -> HttpResponse:
    """Once, whatever the hours and the recipients' own time say: it takes an approver, and a reason."""
    require(request, *rights)
    return by_word_view(
        admin,
        request,
        campaign,
        act,
        longest=200,
        done=_("It is sent now; your reason is kept."),
        template="messaging/campaign/outside_hours.html",
        title=_("Send outside its hours"),
    )

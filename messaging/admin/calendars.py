"""Calendars, whose calendar counts for which application, and the word that puts one aside."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from laaffic_console.kit.console_admin import ModelAdmin
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.people import signed_in
from laaffic_console.kit.shared_rows import SeenForm, SharedRowAdmin
from messaging.admin import approvals
from messaging.admin.pages import add_problems, page, require
from messaging.models import ApplicationCalendar, Calendar
from messaging.services.campaigns import calendars
from messaging.services.refusals import NotAllowed

MAY_PUT_ASIDE = "messaging.approve_campaign"


class CalendarForm(AnyModelForm):
    class Meta:
        model = Calendar
        fields = ["name", "hours", "left_out"]
        widgets = {
            "hours": UnfoldAdminTextareaWidget(attrs={"rows": 6}),
            "left_out": UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        }

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors and cleaned is not None:
            try:
                calendars.check(Calendar(hours=cleaned["hours"], left_out=cleaned["left_out"]))
            except ValidationError as problem:
                add_problems(self, problem)
        return cleaned


@admin.register(Calendar)
class CalendarAdmin(SharedRowAdmin, ModelAdmin):
    form = CalendarForm
    when_empty = gettext_lazy("Add the hours in which people may be reached: mon-fri 09:00-20:00, by their own clock.")
    list_display = ["name", "hours", "changed_at"]
    search_fields = ["name"]
    list_per_page = 50

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

    def save_model(self, request: HttpRequest, obj: ApplicationCalendar, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        calendars.follow()

    def has_delete_permission(self, request: HttpRequest, obj: ApplicationCalendar | None = None) -> bool:
        """It is emptied instead, and what waits by it is looked at again."""
        return False


class OutsideHoursForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept in the campaign's history, with your name."),
    )


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
    back = approvals.page_of(campaign, "change")
    form = OutsideHoursForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(campaign.pk, reason=form.cleaned_data["reason"], by=signed_in(request))
        except NotAllowed as problem:
            messages.error(request, str(problem))
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
        else:
            messages.success(request, _("It is sent now; your reason is kept."))
        return HttpResponseRedirect(back)
    title = _("Send outside its hours")
    return page(admin, request, "messaging/outside_hours.html", title, form=form, campaign=campaign, back=back)

"""The form of a calendar, by rows that are filled in or as text, and what it means now beside it."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.pages import add_problems, may_see_contacts
from laaffic_console.kit.words import countries
from messaging.hours import opening_hours, week_rows
from messaging.hours.opening_hours import DAYS, InvalidHours
from messaging.hours.week_rows import Part
from messaging.models import Calendar
from messaging.services.campaigns import calendars
from messaging.services.contacts.recent_countries import recent_countries
from messaging.services.gates import hours_now

ROWS, TEXT = "rows", "text"


class CalendarForm(AnyModelForm):
    """Rows become text before anything else looks at it; a form that does not say how it was written is text."""

    written_as = forms.ChoiceField(
        choices=[(ROWS, gettext_lazy("By clicks")), (TEXT, gettext_lazy("As text"))],
        initial=ROWS,
        required=False,
        widget=forms.RadioSelect,
        label=gettext_lazy("How it is written"),
    )
    row_problems: list[str]

    class Meta:
        model = Calendar
        fields = ["name", "hours", "left_out"]
        widgets = {
            "hours": UnfoldAdminTextareaWidget(attrs={"rows": 6}),
            "left_out": UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row_problems = []
        if self.is_bound and self.data.get("written_as") == ROWS and isinstance(self.data, QueryDict):
            self.data = self._with_rows(self.data.copy())

    def _with_rows(self, data: QueryDict) -> QueryDict:
        parts = week_rows.of_post(data)
        self.row_problems = week_rows.problems(parts)
        if not week_rows.says_the_same(data.get("hours", ""), data.get("left_out", ""), parts):
            data["hours"], data["left_out"] = week_rows.as_text(parts)
        if self.row_problems and "hours" in self.fields:
            self.fields["hours"].required = False  # what is missing is named in words of the rows
        return data

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for problem in self.row_problems:
            self.add_error("hours", problem)
        if not self.errors and cleaned is not None:
            try:
                calendars.check(Calendar(hours=cleaned["hours"], left_out=cleaned["left_out"]))
            except ValidationError as problem:
                add_problems(self, problem)
        return cleaned

    def parts(self) -> list[Part]:
        """The parts that the rows show: those of the text if it can be read, else what was typed into the rows."""
        try:
            return week_rows.of_text(str(self["hours"].value() or ""), str(self["left_out"].value() or ""))
        except InvalidHours:
            return (week_rows.of_post(self.data) if isinstance(self.data, QueryDict) else []) or [week_rows.NOTHING]

    @property
    def shown_parts(self) -> list[dict[str, Any]]:
        """The parts as the page shows them; the last one is empty, for another country."""
        parts = self.parts()
        shown = [_shown(place, part) for place, part in enumerate(parts)]
        return [*shown, _shown(len(parts), week_rows.NOTHING, is_spare=True)]


def _shown(place: int, part: Part, *, is_spare: bool = False) -> dict[str, Any]:
    return {
        "place": place,
        "is_general": place == 0,
        "is_spare": is_spare,
        "countries": part.countries,
        "days": [(day, WEEKDAYS[number], part.days[number] or (("", ""),)) for number, day in enumerate(DAYS)],
        "dates": part.dates or ("",),
    }


def look_view(admin: Any, request: HttpRequest) -> HttpResponse:
    """Where the hours that are being written are open now, and when they open elsewhere; nothing is stored."""
    if not (request.user.has_perm("messaging.add_calendar") or request.user.has_perm("messaging.change_calendar")):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = CalendarForm(request.POST)
    return TemplateResponse(request, "messaging/calendars/beside.html", _beside(request, form))


def _beside(request: HttpRequest, form: CalendarForm) -> dict[str, Any]:
    hours, left_out = form.data.get("hours", ""), form.data.get("left_out", "")
    if form.row_problems:
        return {"problem": form.row_problems[0]}
    try:
        read = opening_hours.read(hours, left_out)
    except InvalidHours as problem:
        return {"problem": str(problem)}
    asked = [*sorted(read.countries), *(recent_countries() if may_see_contacts(request) else ())]
    standings = hours_now.at(read, asked, timezone.now())
    return {"standings": [(countries.name_of(each.country), each) for each in standings], "text": hours}

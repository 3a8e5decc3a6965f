"""What somebody writes about a report that is kept under a name."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.pages import add_problems
from laaffic_console.reports import asking
from laaffic_console.reports.models import Report
from laaffic_console.reports.services import saving

# When it is sent, and as what: each is asked for only where that schedule needs it.
ASKED_BY = {
    "weekday": (Report.Schedule.WEEKLY,),
    "month_day": (Report.Schedule.MONTHLY,),
    "hour": (Report.Schedule.WEEKLY, Report.Schedule.MONTHLY),
}


class ReportForm(AnyModelForm):
    owner: ClassVar[User]  # given by the page
    query = forms.CharField(widget=forms.HiddenInput, required=False, max_length=4000)

    class Meta:
        model = Report
        fields = (
            "name",
            "is_shared",
            "query",
            "schedule",
            "weekday",
            "month_day",
            "hour",
            "format",
            "users",
            "addresses",
        )
        help_texts: ClassVar[dict[str, Any]] = {
            "schedule": _(
                "A mail has whole days: “This month” and “The last 7 days” end with the day before it is sent, and on "
                "the first of a month “This month” is the month before."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "users" in self.fields:
            offered = field_of(self, "users", forms.ModelMultipleChoiceField)
            offered.queryset = User.objects.filter(is_staff=True, is_active=True).order_by("username")
        for name in ASKED_BY.keys() & self.fields.keys():
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """Check as the service does; what it refuses is shown at the field that it is about."""
        given = super().clean() or self.cleaned_data
        report = self.instance
        for name, asking_for_it in ASKED_BY.items():
            if given.get(name, "") not in (None, ""):
                continue
            if given.get("schedule") in asking_for_it and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
            given[name] = getattr(report, name)  # as it is kept
        for name in ("schedule", "addresses"):
            if name in given:
                setattr(report, name, given[name])
        report.owner = report.owner if report.pk else self.owner
        given["query"] = report.query = asking.read(given.get("query", "")).query()
        report.name = given.get("name", "")
        users = list(given.get("users") or [])
        for check in (partial(saving.check_name, report), partial(saving.check, report, users)):
            try:
                check()
            except ValidationError as problem:
                add_problems(self, problem)
        return given

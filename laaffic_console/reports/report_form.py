"""What somebody writes about a report that is kept under a name."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.pages import add_problems
from laaffic_console.reports import asking
from laaffic_console.reports.models import Report
from laaffic_console.reports.services import saving


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "users" in self.fields:
            offered = field_of(self, "users", forms.ModelMultipleChoiceField)
            offered.queryset = User.objects.filter(is_staff=True, is_active=True).order_by("username")

    def clean(self) -> dict[str, Any]:
        """What the service refuses is at the field that it is about."""
        given = super().clean() or self.cleaned_data
        report = self.instance
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

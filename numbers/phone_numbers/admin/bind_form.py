"""The form that binds two numbers."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy, pgettext_lazy

from laaffic_console.gateway.again_form import AgainForm
from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.pages import add_problems
from phone_numbers.models import BindingKind

UNITS = {"1": gettext_lazy("seconds"), "60": gettext_lazy("minutes"), "3600": pgettext_lazy("unit", "hours")}
UNITS |= {"86400": gettext_lazy("days")}


class BindForm(AgainForm):
    application = forms.ModelChoiceField(
        Application.objects.none(), empty_label=gettext_lazy("Select value"), label=gettext_lazy("Application")
    )
    phone_a = forms.CharField(
        label=gettext_lazy("A"),
        max_length=40,
        help_text=gettext_lazy("With its country code, like +91 98765 43210."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    phone_b = forms.CharField(
        label=gettext_lazy("B"),
        max_length=40,
        help_text=gettext_lazy("Of the same country as A."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    pool_number = forms.CharField(
        label=gettext_lazy("Pool"),
        max_length=20,
        help_text=gettext_lazy("The middle number is taken from it."),
        widget=forms.TextInput(attrs={"list": "pools", "autocomplete": "off"}),
    )
    kind = forms.TypedChoiceField(
        label=gettext_lazy("Kind"), choices=BindingKind.choices, coerce=int, initial=BindingKind.AXB
    )
    amount = forms.IntegerField(
        label=gettext_lazy("Lasts"),
        min_value=1,
        initial=1,
        help_text=gettext_lazy("At most 3 days; then Laaffic ends it by itself."),
    )
    unit = forms.ChoiceField(
        label=gettext_lazy("Unit"),
        choices=list(UNITS.items()),
        initial="3600",
        widget=forms.Select(attrs={"aria-label": gettext_lazy("Unit")}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usable = Application.objects.filter(channel=Channel.NUMBER, is_active=True)
        field_of(self, "application", forms.ModelChoiceField).queryset = usable
        if len(only := usable[:2]) == 1:
            self.fields["application"].initial = only[0]

    def terms(self) -> dict[str, Any]:
        """The cleaned values, as the service takes them."""
        given = dict(self.cleaned_data)
        seconds = given.pop("amount") * int(given.pop("unit"))
        return {**given, "seconds": seconds}

    def add_problems(self, problem: ValidationError) -> None:
        if hasattr(problem, "error_dict") and "seconds" in problem.error_dict:
            problem.error_dict["amount"] = problem.error_dict.pop("seconds")
        add_problems(self, problem)

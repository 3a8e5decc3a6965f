"""A contact as a person edits it: number, other numbers, merge values."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelect2MultipleWidget, UnfoldAdminTextareaWidget

from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.words.plain_text import one_line
from messaging import msisdn
from messaging.admin.contacts.attribute_lines import as_lines, from_lines
from messaging.files import contact_rows
from messaging.models import Contact, ContactGroup
from messaging.services.contacts import editing


class ContactForm(AnyModelForm):
    attributes = forms.CharField(
        required=False,
        label=gettext_lazy("Attributes"),
        help_text=gettext_lazy("One a line, for example “city: Pune”. A text says it with {{city}}."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
    )
    member_of = forms.ModelMultipleChoiceField(
        ContactGroup.objects.filter(is_ad_hoc=False),
        required=False,
        label=gettext_lazy("Groups"),
        widget=UnfoldAdminSelect2MultipleWidget,
    )

    class Meta:
        model = Contact
        fields = ["number", "name", "email", "language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.update(
                {name: one_line(self.initial[name]) for name in ("name", "email", "language") if name in self.initial}
            )
            self.initial["attributes"] = as_lines(self.instance.attributes)
            self.initial["member_of"] = list(self.instance.groups.filter(is_ad_hoc=False))

    def clean_name(self) -> str:
        """A browser takes a line break out of a field of one line, and a paste can bring one."""
        return one_line(self.cleaned_data["name"])

    def clean_language(self) -> str:
        return contact_rows.language(one_line(self.cleaned_data["language"]))

    def clean_attributes(self) -> dict[str, str]:
        return from_lines(self.cleaned_data["attributes"], self.instance.attributes)

    def clean_number(self) -> str:
        """Read the number however it is written; `parsed` keeps what can be told from it (country, time zones)."""
        try:
            self.parsed = msisdn.parse(self.cleaned_data["number"])
        except msisdn.InvalidNumber as problem:
            raise ValidationError(str(problem)) from problem
        return self.parsed.number

    def save(self, commit: bool = True) -> Contact:
        editing.put_number(self.instance, self.parsed)
        attributes = self.cleaned_data["attributes"]
        if "name" in self.changed_data and "attributes" not in self.changed_data:
            attributes = editing.of_name(self.cleaned_data["name"], attributes)
        self.instance.attributes = attributes
        return super().save(commit)

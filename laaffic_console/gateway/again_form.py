"""The field of a form that acts: why the same is done again while its outcome is not known (gateway's `open_acts`)."""

from django import forms
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.services.ledger.open_acts import LONGEST_REASON


class AgainForm(forms.Form):
    """Its templates show the field once it is asked for."""

    again = forms.CharField(
        label=gettext_lazy("Why do it anyway?"),
        required=False,
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("Kept with the request in the ledger."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    @property
    def asks_why(self) -> bool:
        return bool(self["again"].errors or self["again"].value())

"""What the pages of signing in have in common: allauth's views in the console's frame."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

BACK = reverse_lazy("mfa_index")


class InFrame:
    """A page in the admin's frame."""

    request: HttpRequest
    title: Any = ""
    sentence: Any = ""
    button: Any = gettext_lazy("Save")
    back: Any = BACK

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        own = {"title": self.title, "sentence": self.sentence, "button": self.button, "back": self.back}
        return {**admin.site.each_context(self.request), **own, **super().get_context_data(**kwargs)}  # type: ignore[misc]


def asks_code(form: Any, label: str) -> Any:
    """allauth's form, in our words and with a phone's keys for digits."""
    form.fields["code"].label = label
    form.fields["code"].widget.attrs.update(placeholder="", inputmode="numeric")
    return form

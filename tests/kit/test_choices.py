"""A choice that nobody has made yet says what it asks for."""

from collections.abc import Iterator

from django import forms
from django.urls import get_resolver

OWN = ("laaffic_console", "messaging", "numbers", "phone_numbers", "voice")
DASHES = "-" * 9  # Django's, which say nothing


def written(kind: type) -> Iterator[type]:
    for form in kind.__subclasses__():
        yield form
        yield from written(form)


def test_no_form_of_ours_shows_dashes() -> None:
    assert get_resolver().url_patterns  # which imports every page
    own = {form for form in written(forms.Form) if form.__module__.split(".")[0] in OWN} - set(written(forms.ModelForm))
    dashed = [
        f"{form.__qualname__}.{name}"
        for form in own
        for name, asked in form.base_fields.items()
        if isinstance(asked, forms.ModelChoiceField) and asked.empty_label == DASHES
    ]

    assert own
    assert sorted(dashed) == []

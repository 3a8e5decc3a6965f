"""Dates that a person types: one meaning or none."""

import datetime as dt

import pytest
from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.utils import translation

AMBIGUOUS = ["03/04/2027", "3/4/27", "03.04.2027", "03-04-2027", "04/13/2027", "13/04/2027", "03/04/2027 10:00"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("typed", AMBIGUOUS)
def test_an_ambiguous_date_is_refused_with_the_wanted_form(typed: str, language: str) -> None:
    with translation.override(language):
        fields: list[tuple[forms.Field, object]] = [
            (forms.DateField(), typed),
            (forms.DateTimeField(), typed),
            (forms.SplitDateTimeField(widget=AdminSplitDateTime()), [typed, "10:00"]),
        ]
        for field, value in fields:
            with pytest.raises(ValidationError, match="2027-04-03"):
                field.clean(value)


@pytest.mark.parametrize("typed", ["2027-04-03", "2027/04/03", "3 Apr 2027", "3 April 2027", "Apr 3, 2027"])
def test_what_has_one_meaning_is_taken(typed: str) -> None:
    assert forms.DateField().clean(typed) == dt.date(2027, 4, 3)


def test_a_browsers_own_field_is_taken() -> None:
    assert forms.DateTimeField().clean("2027-04-03T14:30").replace(tzinfo=None) == dt.datetime(2027, 4, 3, 14, 30)

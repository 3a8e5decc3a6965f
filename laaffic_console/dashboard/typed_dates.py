"""What every form of the console says of a date that it cannot take: the form that is wanted, or the years.

Which forms are taken stands in `laaffic_console/formats`; none of them leaves open which number is the month.
"""

import datetime as dt

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

DATE = _("Write the date as year-month-day, for example 2027-04-03. 03/04/2027 could be in March or in April.")
MOMENT = _(
    "Write date and time as year-month-day hours:minutes, for example 2027-04-03 14:30. "
    "03/04/2027 could be in March or in April."
)

# Clocks run out at both ends of Python's years: in another time zone 9999-12-31 is a day that there is not.
FIRST_YEAR, LAST_YEAR = 1900, 2199


def check_year(moment: dt.date) -> None:
    """ValidationError for a date or moment in a year that nobody plans for or remembers."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValidationError(
            _("The year %(year)s is out of range. Write a year from %(first)s to %(last)s."),
            code="year",
            params={"year": moment.year, "first": FIRST_YEAR, "last": LAST_YEAR},
        )


def name_the_wanted_form() -> None:
    """Django reads these class attributes whenever a field is made, in forms of ours and of the admin alike."""
    forms.DateField.default_validators = [check_year]
    forms.DateTimeField.default_validators = [check_year]
    forms.DateField.default_error_messages = {**forms.DateField.default_error_messages, "invalid": DATE}
    forms.DateTimeField.default_error_messages = {**forms.DateTimeField.default_error_messages, "invalid": MOMENT}
    split = forms.SplitDateTimeField.default_error_messages
    forms.SplitDateTimeField.default_error_messages = {**split, "invalid_date": DATE}

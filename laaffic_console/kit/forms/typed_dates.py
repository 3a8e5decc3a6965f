"""What every form of the console says of a date that it cannot take: the form that is wanted, or the years.

Which forms are taken is in `laaffic_console/formats`; none of them leaves open which number is the month.
"""

from django import forms
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.words.planned_years import check_year

DATE = _("Write the date as year-month-day, for example 2027-04-03. 03/04/2027 could be in March or in April.")
MOMENT = _(
    "Write date and time as year-month-day hours:minutes, for example 2027-04-03 14:30. "
    "03/04/2027 could be in March or in April."
)


def name_the_wanted_form() -> None:
    """Django reads these class attributes whenever a field is made, in forms of ours and of the admin alike."""
    forms.DateField.default_validators = [check_year]
    forms.DateTimeField.default_validators = [check_year]
    forms.DateField.default_error_messages = {**forms.DateField.default_error_messages, "invalid": DATE}
    forms.DateTimeField.default_error_messages = {**forms.DateTimeField.default_error_messages, "invalid": MOMENT}
    split = forms.SplitDateTimeField.default_error_messages
    forms.SplitDateTimeField.default_error_messages = {**split, "invalid_date": DATE}

"""The years that the console plans for. Clocks run out at both ends of Python's: in another time zone 9999-12-31 is
an invalid date, and every page that shows it fails."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

FIRST_YEAR, LAST_YEAR = 1900, 2199


def check_year(moment: dt.date) -> None:
    """ValidationError for a date or moment in a year that nobody plans for or remembers."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValidationError(
            _("The year %(year)s is out of range. Write a year from %(first)s to %(last)s."),
            code="year",
            params={"year": moment.year, "first": FIRST_YEAR, "last": LAST_YEAR},
        )


if TYPE_CHECKING:
    _DateTimeField = models.DateTimeField[Any, dt.datetime | None]
else:
    _DateTimeField = models.DateTimeField


class PlannedMomentField(_DateTimeField):
    """When something is to happen: no other year is stored, and one that is there already is shown as the nearest."""

    default_validators = [check_year]

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        moment = super().pre_save(model_instance, add)
        if isinstance(moment, dt.datetime):
            try:
                check_year(moment)
            except ValidationError as problem:
                raise ValidationError({self.attname: problem}) from problem
        return moment

    def from_db_value(self, value: Any, *_about: Any) -> Any:
        if not isinstance(value, dt.datetime) or FIRST_YEAR <= value.year <= LAST_YEAR:
            return value
        return value.replace(year=min(max(value.year, FIRST_YEAR), LAST_YEAR), day=min(value.day, 28))

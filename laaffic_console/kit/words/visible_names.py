"""Names that lists and choices show: on one line, with a character that can be seen, and taken once."""

from collections.abc import Collection, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from laaffic_console.kit.words.plain_text import is_blank, one_line


def check_visible(name: str) -> None:
    """ValidationError for a name of marks and spaces alone; whether one is needed at all is its field's business."""
    if name and is_blank(name):
        raise ValidationError(_("Write a name that can be seen."))


class SaysWhatIsTaken(models.Model):
    """A model that says what to do where another row has a unique value. Django says only that it exists."""

    class Meta:
        abstract = True

    def unique_error_message(self, model_class: type[models.Model], unique_check: Sequence[str]) -> ValidationError:
        if len(unique_check) > 1:
            return super().unique_error_message(model_class, tuple(unique_check))
        said = _("Another %(thing)s has this %(field)s. Choose another %(field)s, or change that %(thing)s.")
        field: Any = model_class._meta.get_field(unique_check[0])
        shown = {"thing": model_class._meta.verbose_name, "field": field.verbose_name}
        return ValidationError(said % shown, code="unique")


class VisiblyNamed(SaysWhatIsTaken):
    name: str

    class Meta:
        abstract = True

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        found: dict[str, list[ValidationError]] = {}
        is_given = "name" not in (exclude or ())
        if is_given and not is_blank(self.name) and not self.name.isprintable():
            self.name = one_line(self.name)
        try:
            super().clean_fields(exclude)
        except ValidationError as problem:
            found = problem.update_error_dict(found)
        if is_given:
            try:
                check_visible(self.name)
            except ValidationError as problem:
                found.setdefault("name", []).append(problem)
        if found:
            raise ValidationError(found)

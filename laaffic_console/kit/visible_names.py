"""Names that lists and choices show: one of marks that nobody sees is no name."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from laaffic_console.kit.plain_text import is_blank


class VisiblyNamed(models.Model):
    name: str

    class Meta:
        abstract = True

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        found: dict[str, list[ValidationError]] = {}
        try:
            super().clean_fields(exclude)
        except ValidationError as problem:
            found = problem.update_error_dict(found)
        if self.name and is_blank(self.name) and "name" not in (exclude or ()):
            found.setdefault("name", []).append(ValidationError(_("Write a name that can be seen.")))
        if found:
            raise ValidationError(found)

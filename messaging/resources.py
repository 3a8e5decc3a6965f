"""Contacts for django-import-export: which columns there are, how a row is cleaned, what a bad row says.

Big files take the fast route (services/imports.py), which cleans rows by the same rules; a test holds both together.
"""

from typing import Any

from django.core.exceptions import ValidationError
from import_export import fields, resources
from tablib import Dataset

from messaging.contact_rows import NO_OPTIONS, RowCleaner, RowError, RowOptions, escape_formula, guess_mapping
from messaging.models import Contact

STORED = ("number", "validity", "name", "email", "country", "time_zones", "language", "attributes")
EXPORTED = ("number", "name", "email", "country", "language", "validity", "time_zones", "source", "created_at")


class ContactResource(resources.ModelResource):
    attributes = fields.Field(attribute="attributes", column_name="attributes")
    groups = fields.Field(column_name="groups", readonly=True)

    class Meta:
        model = Contact
        import_id_fields = ("number",)
        fields = (*STORED, "groups", "source", "created_at")
        export_order = (*EXPORTED, "attributes", "groups")
        skip_unchanged = True
        report_skipped = True

    def __init__(
        self,
        *,
        mapping: dict[str, str] | None = None,
        region: str = "",
        options: RowOptions = NO_OPTIONS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.options = options
        self.mapping = mapping
        self.region = region

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        headers = [str(header) for header in dataset.headers or []]
        try:
            self.cleaner = RowCleaner(headers, self.mapping or guess_mapping(headers), self.region, self.options)
        except RowError as problem:
            raise ValidationError(problem.reason) from problem
        # The library looks for the column of import_id_fields by its name, whatever the file calls it.
        number = self.cleaner.fixed["number"]
        dataset.headers = ["number" if n == number else f"{n}: {header}" for n, header in enumerate(headers)]

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        """Put the cleaned values in the row's place; a bad row says its column, value and reason."""
        cells = ["" if value is None else str(value) for value in row.values()]
        try:
            clean = self.cleaner.clean(cells)
        except RowError as problem:
            raise ValidationError({problem.column or "row": problem.reason}) from problem
        row.clear()
        row.update({name: getattr(clean, name) for name in STORED})

    def import_field(
        self, field: fields.Field, instance: Contact, row: Any, is_m2m: bool = False, **kwargs: Any
    ) -> None:
        """What a row does not say stays, and attributes are merged."""
        if field.column_name == "attributes":
            instance.attributes = {**instance.attributes, **row["attributes"]}
        elif row.get(field.column_name) or instance.pk is None:
            super().import_field(field, instance, row, is_m2m, **kwargs)

    def dehydrate_attributes(self, contact: Contact) -> str:
        return attributes_text(contact.attributes)

    def dehydrate_groups(self, contact: Contact) -> str:
        return ", ".join(group.name for group in contact.groups.all() if not group.is_ad_hoc)

    def export_field(self, field: fields.Field, instance: Contact, **kwargs: Any) -> Any:
        value = super().export_field(field, instance, **kwargs)
        return escape_formula(value) if isinstance(value, str) else value


def attributes_text(attributes: dict[str, str]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in sorted(attributes.items()))

"""Contacts for django-import-export: which columns there are, how a row is cleaned, what a bad row says.

Big files take the fast route (services/imports/imports.py), which cleans rows by the same rules; a test holds both
together.
"""

from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from import_export import fields, resources
from tablib import Dataset

from messaging.files.contact_headers import attribute_header, guess_mapping
from messaging.files.contact_rows import NO_OPTIONS, RowCleaner, RowError, RowOptions
from messaging.models import Contact
from messaging.services.contacts import contacts

STORED = ("number", "validity", "name", "email", "country", "time_zones", "language", "attributes")
EXPORTED = ("number", "name", "email", "country", "language", "validity", "time_zones", "source", "created_at")


class AttributeColumn(fields.Field):
    """One attribute, in an export's column of its own."""

    def __init__(self, name: str) -> None:
        super().__init__(column_name=attribute_header(name), readonly=True)
        self.name = name

    def get_value(self, instance: Contact) -> str:
        return str(instance.attributes.get(self.name, ""))


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
        attribute_names: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.attribute_names = attribute_names  # None: those of all contacts
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
        """Set a field from a row: values that the row leaves out stay, and attributes are merged."""
        if field.column_name == "attributes":
            instance.attributes = {**instance.attributes, **row["attributes"]}
        elif row.get(field.column_name) or instance.pk is None:
            super().import_field(field, instance, row, is_m2m, **kwargs)

    @cached_property
    def attribute_columns(self) -> list[AttributeColumn]:
        names = self.attribute_names
        return [
            AttributeColumn(name)
            for name in (contacts.attribute_names(Contact.objects.all()) if names is None else names)
        ]

    def get_export_fields(self, selected_fields: Any = None) -> list[fields.Field]:
        """The contact's own columns, and one for each attribute before the groups."""
        own = [field for field in super().get_export_fields(selected_fields) if field.column_name != "attributes"]
        return [*own[:-1], *self.attribute_columns, *own[-1:]]

    def dehydrate_groups(self, contact: Contact) -> str:
        return ", ".join(group.name for group in contact.groups.all() if not group.is_ad_hoc)

    def export_field(self, field: fields.Field, instance: Contact, **kwargs: Any) -> Any:
        """The raw value: laaffic_console/kit/files/exports.py decides how a file writes it."""
        return self.dehydrate_groups(instance) if field.column_name == "groups" else field.get_value(instance)

"""Which columns an export has (django-import-export); nothing here is imported from files."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Model
from import_export import fields, resources

from phone_numbers.models import Binding, NumberPool, OwnedNumber


class NumbersResource(resources.ModelResource):
    with_names = True  # of contacts: only for those who may see these

    def export_field(self, field: fields.Field, instance: Any, **kwargs: Any) -> Any:
        """As it is: laaffic_console/kit/files/exports.py says what a file makes of it."""
        made = getattr(self, f"dehydrate_{field.column_name}", None)
        return made(instance) if made else field.get_value(instance)

    def lines_of(self, instance: Any, columns: list[fields.Field]) -> Iterator[list[Any]]:
        yield [self.export_field(column, instance) for column in columns]


class BindingResource(NumbersResource):
    application = fields.Field(attribute="application__app_id", column_name="app_id")
    a_name = fields.Field(column_name="a_name", readonly=True)
    b_name = fields.Field(column_name="b_name", readonly=True)

    class Meta:
        model = Binding
        fields = export_order = (
            "bind_id",
            "application",
            "phone_a",
            "a_name",
            "phone_b",
            "b_name",
            "pns_number_a",
            "pns_number_b",
            "pool_number",
            "expires_at",
            "first_seen_at",
            "last_seen_at",
            "ended_at",
            "ending",
        )

    def dehydrate_a_name(self, binding: Any) -> str:
        return str(getattr(binding, "a_name", ""))

    def dehydrate_b_name(self, binding: Any) -> str:
        return str(getattr(binding, "b_name", ""))


class OwnedNumberResource(NumbersResource):
    class Meta:
        model = OwnedNumber
        exclude = ("id",)


class NumberPoolResource(NumbersResource):
    """What Laaffic holds, as it was when it was last compared: a row a number, for thousands fit in no cell."""

    number = fields.Field(column_name="number", readonly=True)

    class Meta:
        model = NumberPool
        fields = export_order = (
            "pool_number",
            "listed_addresses",
            "listed_concurrency",
            "number",
            "listed_at",
            "drifted_at",
            "gone_at",
        )

    def dehydrate_number(self, pool: NumberPool) -> str:
        return ""

    def lines_of(self, instance: Any, columns: list[fields.Field]) -> Iterator[list[Any]]:
        """Each row says its pool, so that a filter finds them; a pool without numbers has a row too."""
        (line,) = super().lines_of(instance, columns)
        at = [column.column_name for column in columns].index("number")
        for number in instance.listed_numbers or [""]:
            yield [*line[:at], number, *line[at + 1 :]]


def resource_of(model: type[Model]) -> type[NumbersResource]:
    return next(one for one in (BindingResource, NumberPoolResource, OwnedNumberResource) if one.Meta.model is model)

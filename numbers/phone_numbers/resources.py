"""The columns of each export (django-import-export); nothing is imported from files here."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Model
from import_export import fields, resources

from phone_numbers.models import Binding, NumberPool, OwnedNumber


class NumbersResource(resources.ModelResource):
    with_names = True  # contacts' names; only for users who may see contacts

    def export_field(self, field: fields.Field, instance: Any, **kwargs: Any) -> Any:
        """The value as it is: laaffic_console/kit/files/exports.py decides how a file shows it."""
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
    """What Laaffic holds, as it was last compared: a row per number, as thousands do not fit in a cell."""

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
        """A pool's rows, each with the pool's number for filters; a pool without numbers has one row."""
        (line,) = super().lines_of(instance, columns)
        at = [column.column_name for column in columns].index("number")
        for number in instance.listed_numbers or [""]:
            yield [*line[:at], number, *line[at + 1 :]]


def resource_of(model: type[Model]) -> type[NumbersResource]:
    return next(one for one in (BindingResource, NumberPoolResource, OwnedNumberResource) if one.Meta.model is model)

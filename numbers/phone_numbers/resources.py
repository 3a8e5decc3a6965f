"""Which columns an export has (django-import-export); nothing here is imported from files."""

from typing import Any

from import_export import fields, resources

from messaging.contact_rows import escape_formula
from phone_numbers.models import Binding, NumberPool, OwnedNumber


class NumbersResource(resources.ModelResource):
    with_names = True  # of contacts: only for who may see those

    def export_field(self, field: fields.Field, instance: Any, **kwargs: Any) -> Any:
        value = super().export_field(field, instance, **kwargs)
        return escape_formula(value) if isinstance(value, str) else value


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
    """What Laaffic holds, as it was when it was last compared."""

    numbers = fields.Field(column_name="numbers", readonly=True)

    class Meta:
        model = NumberPool
        fields = export_order = (
            "pool_number",
            "held_addresses",
            "held_concurrency",
            "numbers",
            "held_at",
            "drifted_at",
            "gone_at",
        )

    def dehydrate_numbers(self, pool: NumberPool) -> str:
        return " ".join(pool.held_numbers)

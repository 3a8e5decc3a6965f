"""Files that numbers offers, registered with the app that makes them."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet

from laaffic_console.exporting import kinds, lists
from laaffic_console.exporting.kinds import may_see_contacts
from phone_numbers.models import Binding, NumberPool, OwnedNumber


def register_all() -> None:
    for model in (Binding, NumberPool, OwnedNumber):
        kinds.register(lists.kind_of(model, _rows_of(model)))


def _rows_of(model: type[Model]) -> lists.Rows:
    def rows(shown: QuerySet[Any], user: User | None) -> Iterator[list[Any]]:
        from phone_numbers import exports, resources  # loads import-export, whose 10 MB only exports need

        resource = resources.resource_of(model)()
        resource.with_names = may_see_contacts(user)
        return exports.rows(resource, shown)

    return rows

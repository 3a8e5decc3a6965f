"""What numbers give away as files, registered with the app that makes them."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from laaffic_console.exporting import kinds, lists
from laaffic_console.exporting.kinds import may_see_contacts
from phone_numbers import exports
from phone_numbers.resources import BindingResource, NumberPoolResource, NumbersResource, OwnedNumberResource


def register() -> None:
    for resource in (BindingResource, NumberPoolResource, OwnedNumberResource):
        kinds.register(lists.kind_of(resource.Meta.model, _rows_of(resource)))


def _rows_of(resource_class: type[NumbersResource]) -> lists.Rows:
    def rows(shown: QuerySet[Any], user: User | None) -> Iterator[list[Any]]:
        resource = resource_class()
        resource.with_names = may_see_contacts(user)
        return exports.rows(resource, shown)

    return rows

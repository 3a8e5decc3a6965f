"""What goes with a user who is deleted: counted as far as a list is, not listed. There may be many notices."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest

from laaffic_console.kit.lists.paginator import COUNT_LIMIT, said_to

Deleted = tuple[list[str], dict[str, str], set[str], list[str]]


def deleted_with(users: Iterable[User], request: HttpRequest) -> Deleted:
    """What `get_deleted_objects` of an admin returns: who, how many of what, missing rights, what keeps them."""
    chosen = list(users)
    counts, missing, kept_by = {str(User._meta.verbose_name_plural): said_to(len(chosen))}, set[str](), list[str]()
    own_page = admin.site._registry[User]
    if not all(own_page.has_delete_permission(request, user) for user in chosen):  # a superuser is a superuser's
        missing.add(str(User._meta.verbose_name))
    for relation in User._meta.related_objects:
        model: Any = relation.related_model
        if relation.on_delete not in (models.CASCADE, models.PROTECT, models.RESTRICT):
            continue
        rows = model._base_manager.filter(**{f"{relation.field.name}__in": chosen}).order_by()
        if not (count := len(rows.values_list("pk", flat=True)[: COUNT_LIMIT + 1])):
            continue
        said = f"{model._meta.verbose_name_plural}: {said_to(count)}"
        if relation.on_delete is not models.CASCADE:
            kept_by.append(said)
            continue
        counts[str(model._meta.verbose_name_plural)] = said_to(count)
        page = admin.site._registry.get(model)
        if page is not None and not page.has_delete_permission(request):
            missing.add(str(model._meta.verbose_name))
    return [str(user) for user in chosen], counts, missing, kept_by

"""Lists of the admin as kinds of exports: what a list shows with its filters and its search, all pages of it.

A worker reads the list by the words in the page's address, through the same filters, as the person who
asked: what they may not see is not in the file.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from laaffic_console.exporting.kinds import Kind, NotExportable, Parameters, Row
from laaffic_console.kit.audit import acts
from laaffic_console.kit.files.exporting import rights
from laaffic_console.kit.forms.odd_requests import with_plain_searches, without_nul
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words.said import lasting

Rows = Callable[[QuerySet[Any], User | None], Iterator[Row]]
CHOSEN = 1000  # rows that were ticked one by one


def name_of(model: type[Model]) -> str:
    return model._meta.label_lower


def kind_of(model: type[Model], rows: Rows) -> Kind:
    """The kind for a model's list; `rows` is given what is shown, in any order, and the person who asks."""

    def shown(parameters: Parameters, user: User | None) -> QuerySet[Any]:
        return _shown(model, parameters, user)

    return Kind(
        name=name_of(model),
        rights=tuple(rights(model)),
        title=lambda parameters: str(lasting(model._meta.verbose_name_plural)),
        rows=lambda parameters, user: rows(shown(parameters, user), user),
        count=lambda parameters, user, most: shown(parameters, user).order_by()[:most].count(),
    )


def parameters_of(request: HttpRequest) -> Parameters:
    return {"query": request.GET.urlencode()}


def _looking(user: User | None) -> AbstractContextManager[None]:
    """A worker searches with the asker's rights: by parts of numbers only who sees them whole. Nobody is the shell."""
    if user is None:
        return nullcontext()
    return acts.acting(lambda: acts.Actor(user.pk, user.get_username(), sees_numbers=user.has_perm(masks.SEE)))


def _shown(model: type[Model], parameters: Parameters, user: User | None) -> QuerySet[Any]:
    if "ids" in parameters:
        return model._default_manager.filter(pk__in=parameters["ids"][:CHOSEN])
    request = HttpRequest()
    request.method = "GET"
    # Read as the list's own page reads its address: anyone who writes it by hand has seen no page.
    request.GET = cast(Any, with_plain_searches(without_nul(QueryDict(parameters.get("query", "")))))
    request.user = cast(User, user)
    with _looking(user):
        found = cast(Any, admin.site.get_model_admin(model)).rows_shown(request)
    if not isinstance(found, QuerySet):
        raise NotExportable(_("These filters are no longer valid. Filter the list again and export what it shows."))
    return found

"""Lists that Laaffic keeps and the console copies: how old a copy is, and how to have it read again."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from laaffic_console.api.documents import moment
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView
from laaffic_console.api.models import Scope
from laaffic_console.gateway.models.list_copies import ListCopy
from laaffic_console.gateway.services.lists.list_copies import Copies
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.said import read


class CopiedList(serializers.Serializer):
    name = serializers.CharField()
    is_running = serializers.BooleanField(help_text="asked for, or being read")
    requested_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    succeeded_at = serializers.DateTimeField(allow_null=True, help_text="as old is the copy")
    rows = serializers.IntegerField()
    problem = serializers.CharField(allow_blank=True)


class CopiedLists(serializers.Serializer):
    lists = CopiedList(many=True)


def _document(copy: ListCopy) -> dict[str, Any]:
    return {
        "name": copy.name,
        "is_running": copy.is_running,
        **{name: moment(getattr(copy, name)) for name in ("requested_at", "started_at", "succeeded_at")},
        "rows": copy.rows,
        "problem": in_text(read(copy.problem)),
    }


class SyncView(ApiView):
    copies: ClassVar[Copies[Any]]
    list_names: ClassVar[Any]  # names of the copies that the list's page shows

    def _shown(self) -> dict[str, Any]:
        return {"lists": [_document(copy) for copy in self.copies.named(type(self).list_names())]}

    @extend_schema(responses=CopiedLists)
    def get(self, request: Any) -> Response:
        """How old the console's copy is, and what went wrong with the last reading."""
        return Response(self._shown())

    @extend_schema(parameters=[KEY], request=None, responses={202: CopiedLists})
    def post(self, request: Any) -> Response:
        """Have a worker read the list from Laaffic as soon as one is free."""
        answer = self.once(lambda: _asked(self.copies, type(self).list_names()))
        return Response(self._shown(), answer.status)


def _asked(copies: Copies[Any], names: Sequence[str]) -> Answer:
    if not copies.request(*names):
        channel = {"channel": copies.channel.label}
        raise Problem(409, _("Register an application of the channel %(channel)s first.") % channel)
    return Answer(202, {})


def view_of(
    name: str, copies: Copies[Any], list_names: Callable[[], Sequence[str]], *, look: str, sync: str, scope: Scope
) -> type[ApiView]:
    """A view for these copies, with the rights of their page: to look at the list, and to have it read."""
    own = {
        "copies": copies,
        "list_names": staticmethod(list_names),
        "scopes": {"GET": Scope.READ, "POST": scope},
        "rights": {"GET": [look], "POST": [look, sync]},
        "__module__": __name__,
    }
    return type(f"{name}SyncView", (SyncView,), own)

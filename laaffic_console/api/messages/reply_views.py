"""Replies of people to messages."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from laaffic_console.api import documents, shapes
from laaffic_console.api.handling.filters import narrowed
from laaffic_console.api.handling.views import ApiView, ListQuery, page
from laaffic_console.api.models import Scope
from messaging.models import Reply


class ReplyQuery(ListQuery):
    number = serializers.CharField(required=False, max_length=60)


class RepliesView(ApiView):
    scopes = {"GET": Scope.READ}
    rights = {"GET": ["messaging.view_reply"]}

    @extend_schema(parameters=[ReplyQuery], responses=shapes.page_of(shapes.Reply))
    def get(self, request: Any) -> Response:
        """Replies of people, the newest first."""
        query = self.read(ReplyQuery, request.query_params.dict())
        rows = narrowed(Reply.objects.all(), query, number="number")
        return Response(page(rows, query, documents.reply))

"""The list of group-call tasks leaves out templates and replaced tasks, unless they are asked for."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from voice.models import GroupTask, TaskState


class ShownFilter(ChoiceFilter):
    title = gettext_lazy("show")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("templates", _("Templates")), ("replaced", _("Replaced by an update"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for number, choice in enumerate(super().choices(changelist)):
            yield choice if number else {**choice, "display": _("Tasks")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[GroupTask]) -> QuerySet[GroupTask]:
        match self.value():
            case "templates":
                return queryset.filter(is_template=True)
            case "replaced":
                return queryset.filter(state=TaskState.REPLACED)
        return queryset.filter(is_template=False).exclude(state=TaskState.REPLACED)

"""The addresses that Laaffic pushes to: a token, a kind, and a mark of ours where there is one."""

from django.urls import path, register_converter

from laaffic_console.gateway.models import PushKind
from laaffic_console.gateway.push_door import PushView


class PushKindConverter:
    regex = "|".join(PushKind.values)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class MarkConverter:
    """A mark of ours that comes back with the push: the address is ours to write (laaffic-api#batchsendemail)."""

    regex = "[a-z0-9]{1,40}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PushKindConverter, "push_kind")
register_converter(MarkConverter, "mark")

app_name = "hooks"
# Anyone who types a callback address forgets the slash at its end, and a redirected POST is lost.
urlpatterns = [
    path("<str:token>/<push_kind:kind>", PushView.as_view()),
    path("<str:token>/<push_kind:kind>/", PushView.as_view(), name="push"),
    path("<str:token>/<push_kind:kind>/<mark:mark>", PushView.as_view()),
    path("<str:token>/<push_kind:kind>/<mark:mark>/", PushView.as_view(), name="marked_push"),
]

from django.urls import path, register_converter

from laaffic_console.gateway.models import PushKind
from laaffic_console.gateway.webhooks import PushView


class PushKindConverter:
    regex = "|".join(PushKind.values)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PushKindConverter, "push_kind")

app_name = "hooks"
urlpatterns = [path("<str:token>/<push_kind:kind>/", PushView.as_view(), name="push")]

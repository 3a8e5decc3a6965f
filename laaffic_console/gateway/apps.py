from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GatewayConfig(AppConfig):
    name = "laaffic_console.gateway"
    label = "gateway"
    verbose_name = _("Gateway")

    def ready(self) -> None:
        from laaffic_console.gateway import findable, meanings

        findable.register_all()
        meanings.register_all()

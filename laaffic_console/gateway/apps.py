"""The app of the gateway: ledger, inbox, leases, pacing, workers, holds."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GatewayConfig(AppConfig):
    name = "laaffic_console.gateway"
    label = "gateway"
    verbose_name = _("Gateway")

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from laaffic_console.gateway import findable, meanings
        from laaffic_console.gateway.services import durability

        findable.register_all()
        meanings.register_all()
        connection_created.connect(durability.connected, dispatch_uid="durability")

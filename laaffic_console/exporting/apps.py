from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExportingConfig(AppConfig):
    name = "laaffic_console.exporting"
    label = "exporting"
    verbose_name = _("Exports")

    def ready(self) -> None:
        from laaffic_console.exporting import ledger, meanings
        from laaffic_console.gateway.services import bell

        ledger.register()
        meanings.register_all()

        bell.sweep_with("laaffic_console.exporting.jobs.sweep")

"""The app of the REST API: its words, its job, and which of its rows a restore makes doubtful."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "laaffic_console.api"
    label = "api"
    verbose_name = _("REST API")

    def ready(self) -> None:
        from laaffic_console.api import meanings
        from laaffic_console.gateway.services.ledger import restored
        from laaffic_console.gateway.services.work import bell

        meanings.register_all()
        bell.sweep_with("laaffic_console.api.jobs.sweep")
        restored.also("laaffic_console.api.jobs.after_restore")

"""The app of exports: files are made by a job, and deleted when their days are over."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExportingConfig(AppConfig):
    name = "laaffic_console.exporting"
    label = "exporting"
    verbose_name = _("Exports")

    def ready(self) -> None:
        from laaffic_console.exporting import ledger, meanings
        from laaffic_console.exporting.services import making
        from laaffic_console.gateway.services import bell, long_jobs
        from laaffic_console.gateway.services.long_jobs import LongJob

        ledger.register()
        meanings.register_all()

        long_jobs.register(LongJob(making.JOB, making.is_waiting, making.TASK_SECONDS))
        bell.sweep_with("laaffic_console.exporting.jobs.sweep")

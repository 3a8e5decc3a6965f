from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "laaffic_console.reports"
    label = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from laaffic_console.gateway.services import bell, restored
        from laaffic_console.reports import meanings, report_file

        report_file.register()
        meanings.register_all()
        bell.sweep_with("laaffic_console.reports.jobs.sweep")
        restored.also("laaffic_console.reports.jobs.after_restore")

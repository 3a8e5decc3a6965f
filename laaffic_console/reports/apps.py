"""The app of reports by period: what is sent by email when it is due."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "laaffic_console.reports"
    label = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from laaffic_console.gateway.services.ledger import restored
        from laaffic_console.gateway.services.work import bell, long_jobs
        from laaffic_console.gateway.services.work.long_jobs import LongJob
        from laaffic_console.reports import meanings, report_file
        from laaffic_console.reports.services import mailing, renamed_people, schedule

        report_file.register()
        meanings.register_all()
        renamed_people.listen()
        long_jobs.register(LongJob(schedule.JOB, mailing.is_waiting, schedule.TASK_SECONDS))
        bell.sweep_with("laaffic_console.reports.jobs.sweep")
        restored.also("laaffic_console.reports.jobs.after_restore")

"""The app of notices: who is told what, under the bell and by email."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "laaffic_console.notices"
    label = "notices"
    verbose_name = _("Notices")

    def ready(self) -> None:
        from laaffic_console.events import readers
        from laaffic_console.gateway.services.work import bell
        from laaffic_console.notices import own_subjects
        from laaffic_console.notices.services import taking

        own_subjects.register_all()
        readers.add(taking.READER)
        bell.sweep_with("laaffic_console.notices.jobs.sweep")

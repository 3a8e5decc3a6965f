"""The app of the help, which search finds."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HandbookConfig(AppConfig):
    name = "laaffic_console.handbook"
    label = "handbook"
    verbose_name = _("Help")

    def ready(self) -> None:
        from laaffic_console.handbook import findable

        findable.register_all()

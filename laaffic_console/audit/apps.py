"""The app of who did what: acts that are told through kit are kept here."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "laaffic_console.audit"
    label = "audit"
    verbose_name = _("Audit")

    def ready(self) -> None:
        from laaffic_console.audit import meanings, sign_ins
        from laaffic_console.audit.services import writing
        from laaffic_console.kit import acts

        acts.write_with(writing.write)
        meanings.register_all()
        sign_ins.listen()

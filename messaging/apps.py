"""The app of messaging: what it registers with gateway, events, exports and pages."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    label = "messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        from messaging import meanings, search_indexes
        from messaging.registered import (
            care,
            channels,
            console_entries,
            export_kinds,
            figures,
            findable,
            health_signs,
            notice_subjects,
            people,
            report_links,
            work,
        )

        post_migrate.connect(search_indexes.create, sender=self)
        channels.register_all()
        care.register_all()
        figures.register_all()
        people.register_all()
        work.register_all()
        meanings.register_all()
        findable.register_all()
        console_entries.register_all()
        health_signs.register_all()
        notice_subjects.register_all()
        export_kinds.register_all()
        report_links.register_all()

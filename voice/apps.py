"""The app of voice: what it registers with gateway, messaging and the pages."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VoiceConfig(AppConfig):
    name = "voice"
    label = "voice"
    verbose_name = _("Voice")

    def ready(self) -> None:
        from voice import meanings
        from voice.registered import (
            care,
            channels,
            console_entries,
            export_kinds,
            figures,
            findable,
            notice_subjects,
            people,
            work,
        )

        channels.register_all()
        care.register_all()
        figures.register_all()
        people.register_all()
        work.register_all()
        meanings.register_all()
        findable.register_all()
        console_entries.register_all()
        notice_subjects.register_all()
        export_kinds.register_all()

"""The app of events: they are fanned out to webhooks, and a restore pauses those."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    name = "laaffic_console.events"
    label = "events"
    verbose_name = _("Events")

    def ready(self) -> None:
        from laaffic_console.events import account_events, meanings, readers
        from laaffic_console.events.services import fan_out
        from laaffic_console.gateway.services import bell, restored

        readers.add(fan_out.READER)
        account_events.register()
        meanings.register_all()
        bell.sweep_with("laaffic_console.events.jobs.sweep")
        restored.also("laaffic_console.events.restored.pause_all")

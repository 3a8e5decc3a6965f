"""The app of bindings, pools and owned numbers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NumbersConfig(AppConfig):
    name = "phone_numbers"
    label = "numbers"
    verbose_name = _("Numbers")

    def ready(self) -> None:
        from laaffic_console.gateway.services import bell, subjects
        from phone_numbers import console_entries, export_kinds, findable, meanings, person_entries
        from phone_numbers.models import BindingRequest, NumberPool, OwnedNumber

        subjects.register({"binding request": BindingRequest, "number pool": NumberPool, "owned number": OwnedNumber})
        export_kinds.register()
        findable.register_all()
        console_entries.register_all()
        meanings.register_all()
        person_entries.register_all()
        bell.sweep_with("phone_numbers.jobs.sweep")
